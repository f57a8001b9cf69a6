import { Property } from '../abi/info.js';
import { Handle } from './handle.js';
import { words } from './invoke.js';
import { Process } from './process.js';
import { mapped } from './result.js';
import { Thread } from './thread.js';

/** A thread's exception, as it came through an exception channel. Closing it lets the thread go on as its state says. */
export class Exception extends Handle {
  /** `zx_exception_get_thread`. */
  *thread() {
    const result = yield* this.zx.exceptionGetThread(this.raw);
    return mapped(result, ['thread'], ({ out }) => ({ thread: new Thread(this.zx, out) }));
  }

  /** `zx_exception_get_process`: not when it came through a thread's channel. */
  *process() {
    const result = yield* this.zx.exceptionGetProcess(this.raw);
    return mapped(result, ['process'], ({ out }) => ({ process: new Process(this.zx, out) }));
  }

  /** What closing means. @param state ZX_EXCEPTION_STATE_* */
  *setState(state: number) {
    return yield* this.zx.objectSetProperty(this.raw, Property.EXCEPTION_STATE, words([state]));
  }

  /** Whether a debugger is asked again when nobody handles it. @param strategy ZX_EXCEPTION_STRATEGY_* */
  *setStrategy(strategy: number) {
    return yield* this.zx.objectSetProperty(this.raw, Property.EXCEPTION_STRATEGY, words([strategy]));
  }
}
