import { type Digest, Hasher } from '../base/digest.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import { hashEvent } from '../kernel/objects/state-hash.js';

/** So many events wait at most, with so many bytes. */
const MOST_EVENTS = 1 << 14;
const MOST_BYTES = 1 << 20;

/**
 * The running digest of all events. Those of a short run wait until somebody asks for it, as most often nobody does: to
 * fold an event takes as long as what it says.
 */
export class EventDigest {
  private hasher = new Hasher();
  private waiting: KernelEvent[] = [];
  private waitingBytes = 0;
  private mayWait = true;

  add(event: KernelEvent): void {
    if (!this.mayWait) {
      hashEvent(this.hasher, event);
      return;
    }
    this.waiting.push(event);
    const { bytes } = event as { readonly bytes?: Uint8Array };
    if (bytes !== undefined) this.waitingBytes += bytes.length;
    if (this.waiting.length === MOST_EVENTS) this.mayWait = false;
    if (!this.mayWait || this.waitingBytes > MOST_BYTES) this.foldWaiting();
  }

  private foldWaiting(): void {
    for (const event of this.waiting) hashEvent(this.hasher, event);
    this.waiting = [];
    this.waitingBytes = 0;
  }

  value(): Digest {
    this.mayWait = false;
    this.foldWaiting();
    return this.hasher.value();
  }

  /** As far as it is, to go on from. */
  mark(): Hasher {
    this.foldWaiting();
    return this.hasher.clone();
  }

  goOnFrom(mark: Hasher): void {
    this.hasher = mark.clone();
    this.waiting = [];
    this.waitingBytes = 0;
  }
}
