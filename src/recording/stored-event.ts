import { sameBytes } from '../base/bytes.js';
import { isEventType, type KernelEvent } from '../kernel/objects/events.js';
import { RecordingError } from './format/recording-error.js';

function damaged(what: string): RecordingError {
  return new RecordingError('damaged', `an event of the recording ${what}`, null, 'record again');
}

/** What an item of `kernel-events` says happened; undefined when it says nothing of the kind. */
export function eventIn(item: unknown): unknown {
  return isRecord(item) ? item.event : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/**
 * The event of an item, as far as that can be told without applying it: of a known type, all numbers exact.
 * @throws RecordingError
 */
export function storedEvent(item: unknown): KernelEvent {
  const event = eventIn(item);
  if (!isRecord(event)) throw damaged('is none');
  const { type } = event;
  if (typeof type !== 'string' || !isEventType(type) || type === 'span') throw damaged('is of no known type');
  if (!isExact(event)) throw damaged(`of type ${type} holds what no event holds`);
  return event as KernelEvent;
}

/** Readers bound depth and size of what they decode: this may walk all of it. */
function isExact(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value);
    case 'bigint':
    case 'string':
    case 'boolean':
      return true;
    case 'object':
      if (value === null || value instanceof Uint8Array) return true;
      // What looks like registers is hashed by its bytes alone.
      if ('copy' in value) return false;
      return (Array.isArray(value) ? value : Object.values(value)).every(isExact);
    default:
      return false;
  }
}

/** Whether an event that was stored says the same as one of the run. The second tells what is compared: it is ours. */
export function sameEvent(stored: unknown, event: unknown): boolean {
  if (event instanceof Uint8Array) return stored instanceof Uint8Array && sameBytes(stored, event);
  if (Array.isArray(event)) {
    return (
      Array.isArray(stored) &&
      stored.length === event.length &&
      event.every((v, i) => sameEvent(stored[i], v))
    );
  }
  if (!isRecord(event)) return stored === event;
  if (!isRecord(stored)) return false;
  const keys = Object.keys(event);
  return (
    Object.keys(stored).length === keys.length && keys.every((key) => sameEvent(stored[key], event[key]))
  );
}
