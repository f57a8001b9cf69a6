import { INFO_TOPICS, InfoTopic, type InfoTopicName, PROPERTIES, Property } from '../abi/info.js';
import { Right } from '../abi/rights.js';
import { decodeStruct, type StructName, sizeOf } from '../abi/structs.js';
import type { Wide } from './invoke.js';
import type { Port } from './port.js';
import { mapped } from './result.js';
import type { Zx } from './zx.js';

type Made<T> = new (zx: Zx, raw: number) => T;

const LIST_BYTES = 65536;

/**
 * A handle of this process, and what can be done with any. Methods that make another handle to the same object give
 * the same class. A class says nothing of what a handle really is: the kernel does, with ZX_ERR_WRONG_TYPE.
 *
 * `using` closes it: before the thread's next call, because a call cannot be made while a block is left.
 */
export class Handle {
  constructor(
    protected readonly zx: Zx,
    private value: number,
  ) {}

  /** The handle's value: `zx_handle_t`. 0 when it was closed or passed on. */
  get raw(): number {
    return this.value;
  }

  /** Gives the value away: whoever has it now closes it. */
  release(): number {
    const { value } = this;
    this.value = 0;
    return value;
  }

  /** The same handle under another class; this object has none from then on. */
  as<T>(type: Made<T>): T {
    return new type(this.zx, this.release());
  }

  private same<T extends Handle>(this: T, raw: number): T {
    return new (this.constructor as Made<T>)(this.zx, raw);
  }

  /**
   * `zx_handle_duplicate`.
   * @param rights a subset of this handle's, or ZX_RIGHT_SAME_RIGHTS
   */
  *duplicate<T extends Handle>(this: T, rights: number = Right.SAME_RIGHTS) {
    const result = yield* this.zx.handleDuplicate(this.value, rights);
    return mapped(result, ['handle'], ({ out }) => ({ handle: this.same(out) }));
  }

  /** `zx_handle_replace`: this object's handle is gone afterwards, also when the rights were refused. */
  *replace<T extends Handle>(this: T, rights: number) {
    const result = yield* this.zx.handleReplace(this.release(), rights);
    return mapped(result, ['handle'], ({ out }) => ({ handle: this.same(out) }));
  }

  /** `zx_handle_close`. A second time is fine. */
  *close() {
    return yield* this.zx.handleClose(this.release());
  }

  [Symbol.dispose](): void {
    const raw = this.release();
    if (raw !== 0) this.zx.closeLater(raw);
  }

  /**
   * `zx_object_wait_one`.
   * @param deadline ns of monotonic time
   */
  *waitOne(signals: number, deadline: Wide) {
    return yield* this.zx.objectWaitOne(this.value, signals, deadline);
  }

  /** `zx_object_wait_async`. @param key comes with the packet */
  *waitAsync(port: Port, key: Wide, signals: number, options = 0) {
    return yield* this.zx.objectWaitAsync(this.value, port.raw, key, signals, options);
  }

  /** `zx_object_signal`: clears, then sets. */
  *signal(clearMask: number, setMask: number) {
    return yield* this.zx.objectSignal(this.value, clearMask, setMask);
  }

  /**
   * `zx_object_get_info` of a topic that is one record.
   * @param record the struct of the topic: `zx_info_…_t`
   */
  *info<N extends StructName>(topic: InfoTopicName, record: N) {
    const result = yield* this.zx.objectGetInfo(this.value, InfoTopic[topic], sizeOf(record));
    return mapped(result, ['info'], ({ buffer }) => ({ info: decodeStruct(record, buffer) }));
  }

  /** The same of a topic that is a list of koids, as many as fit 64 KiB. */
  *koids(topic: 'PROCESS_THREADS' | 'JOB_CHILDREN' | 'JOB_PROCESSES') {
    const result = yield* this.zx.objectGetInfo(this.value, InfoTopic[topic], LIST_BYTES);
    return mapped(result, ['koids'], ({ buffer, actual }) => {
      const view = new DataView(buffer.buffer, buffer.byteOffset);
      return { koids: Array.from({ length: Number(actual) }, (_, i) => view.getBigUint64(8 * i, true)) };
    });
  }

  /** The same of a topic that is a list of records, as many as fit 64 KiB. */
  *infoList<N extends StructName>(topic: InfoTopicName, record: N) {
    const size = INFO_TOPICS[topic].record === record ? sizeOf(record) : 0;
    if (size === 0) return { status: 'ZX_ERR_INVALID_ARGS', records: null };
    const result = yield* this.zx.objectGetInfo(this.value, InfoTopic[topic], LIST_BYTES);
    return mapped(result, ['records'], ({ buffer, actual }) => ({
      records: Array.from({ length: Number(actual) }, (_, i) =>
        decodeStruct(record, buffer.subarray(size * i)),
      ),
    }));
  }

  /** The object's id: the same for all handles to it, and never used again. */
  *koid() {
    const result = yield* this.info('HANDLE_BASIC', 'zx_info_handle_basic_t');
    return mapped(result, ['koid'], ({ info }) => ({ koid: info.koid }));
  }

  /** `zx_object_get_property` ZX_PROP_NAME: of a job, process, thread or VMO. */
  *name() {
    const result = yield* this.zx.objectGetProperty(this.value, Property.NAME, PROPERTIES.NAME.sizeBytes);
    return mapped(result, ['name'], ({ value }) => {
      const end = value.indexOf(0);
      return { name: new TextDecoder().decode(value.subarray(0, end < 0 ? undefined : end)) };
    });
  }

  /** `zx_object_set_property` ZX_PROP_NAME. Longer than 31 bytes is cut. */
  *setName(name: string) {
    return yield* this.zx.objectSetProperty(this.value, Property.NAME, new TextEncoder().encode(name));
  }
}

/** A handle to an object with another end. */
export class Peered extends Handle {
  /** `zx_object_signal_peer`. */
  *signalPeer(clearMask: number, setMask: number) {
    return yield* this.zx.objectSignalPeer(this.raw, clearMask, setMask);
  }
}
