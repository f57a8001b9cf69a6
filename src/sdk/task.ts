import { Channel } from './channel.js';
import { Handle } from './handle.js';
import { mapped } from './result.js';

/** A job, process or thread. */
export class TaskHandle extends Handle {
  /** `zx_task_kill`. Threads cannot be killed one by one: ZX_ERR_WRONG_TYPE. */
  *kill() {
    return yield* this.zx.taskKill(this.raw);
  }

  /** `zx_task_create_exception_channel`. @param options 0 or ZX_EXCEPTION_CHANNEL_DEBUGGER */
  *createExceptionChannel(options = 0) {
    const result = yield* this.zx.taskCreateExceptionChannel(this.raw, options);
    return mapped(result, ['channel'], ({ out }) => ({ channel: new Channel(this.zx, out) }));
  }

  /** `zx_task_suspend_token`: the task goes on when all tokens are closed. Not for jobs. */
  *suspend() {
    const result = yield* this.zx.taskSuspendToken(this.raw);
    return mapped(result, ['token'], ({ token }) => ({ token: new Handle(this.zx, token) }));
  }
}
