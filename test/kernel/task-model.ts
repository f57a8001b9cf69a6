/**
 * What happens to trees of jobs, processes and threads, written down a second time: plain objects, no kernel. An
 * object exists while somebody has a handle to it or something lives in it.
 */
export class ModelJob {
  readonly kind = 'job';
  readonly jobs = new Set<ModelJob>();
  readonly processes = new Set<ModelProcess>();
  state: 'ready' | 'killing' | 'dead' = 'ready';
  code = 0n;
  open = true;

  constructor(
    readonly koid: number,
    readonly handle: number,
    readonly parent: ModelJob | null,
    readonly height: number,
  ) {
    parent?.jobs.add(this);
  }

  get exists(): boolean {
    return this.open || this.jobs.size > 0 || this.processes.size > 0;
  }

  kill(code: bigint): void {
    if (this.state !== 'ready') return;
    this.state = 'killing';
    this.code = code;
    for (const job of [...this.jobs]) job.kill(code);
    for (const process of [...this.processes]) process.end(code);
    this.settle();
  }

  /** After something left it: it is dead, or gone, or neither. */
  settle(): void {
    if (this.jobs.size > 0 || this.processes.size > 0) return;
    if (this.state === 'killing') this.state = 'dead';
    if (this.state === 'ready' && this.open) return;
    if (this.parent?.jobs.delete(this)) this.parent.settle();
  }

  close(): void {
    this.open = false;
    this.settle();
  }
}

export class ModelProcess {
  readonly kind = 'process';
  readonly threads = new Set<ModelThread>();
  state: 'initial' | 'running' | 'dead' = 'initial';
  code = 0n;
  open = true;

  constructor(
    readonly koid: number,
    readonly handle: number,
    readonly job: ModelJob,
  ) {
    job.processes.add(this);
  }

  get exists(): boolean {
    return this.open || this.state === 'running';
  }

  end(code: bigint): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.code = code;
    for (const thread of this.threads) thread.state = 'dead';
    this.threads.clear();
    this.job.processes.delete(this);
    this.job.settle();
  }

  close(): void {
    this.open = false;
    if (this.state === 'initial') this.end(0n);
  }
}

export class ModelThread {
  readonly kind = 'thread';
  state: 'new' | 'running' | 'dead' = 'new';
  open = true;

  constructor(
    readonly koid: number,
    readonly handle: number,
    readonly process: ModelProcess,
  ) {}

  get exists(): boolean {
    return this.open || this.state === 'running';
  }

  /** Whether it can start, as the first of its process or as any. */
  startStatus(first: boolean): 'OK' | 'ERR_BAD_STATE' {
    const allowed = first ? ['initial'] : ['initial', 'running'];
    return allowed.includes(this.process.state) && this.state === 'new' ? 'OK' : 'ERR_BAD_STATE';
  }

  start(): void {
    this.state = 'running';
    this.process.state = 'running';
    this.process.threads.add(this);
  }

  exit(): void {
    this.state = 'dead';
    this.process.threads.delete(this);
    if (this.process.threads.size === 0) this.process.end(0n);
  }

  close(): void {
    this.open = false;
  }
}

export type ModelTask = ModelJob | ModelProcess | ModelThread;
