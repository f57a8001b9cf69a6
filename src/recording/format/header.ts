import type { Digest } from '../../base/digest.js';
import { PayloadError } from './recording-error.js';

/** How the machine was set up: with the images, everything a closed run depends on. Later versions may add fields. */
export interface MachineConfig {
  readonly cores: number;
  /** Retired instructions of a slice, at most. */
  readonly quantum: number;
  /** Name of the scheduling strategy. */
  readonly strategy: string;
  readonly seed: number;
  readonly entropySeed: number;
  readonly detail: 'essential' | 'full';
  /** Null: no limit. */
  readonly maxSteps: number | null;
  readonly [more: string]: unknown;
}

/** A program or library of the run, whose bytes stand among the recording's images. */
export interface ImageReference {
  readonly name: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** The first record of every recording. */
export interface RecordingHeader {
  /** Version of the Jacinth that recorded. */
  readonly jacinth: string;
  /** ABI vintage: `2023`, `head`, `magenta`. */
  readonly abi: string;
  readonly arch: string;
  readonly machine: MachineConfig;
  readonly images: readonly ImageReference[];
  readonly arguments: readonly string[];
  /** `NAME=value` each. */
  readonly environment: readonly string[];
  readonly [more: string]: unknown;
}

/** The last record of a recording that was finished. */
export interface RecordingEnd {
  /** Exit status of the run (0-255). */
  readonly exitCode: number;
  /** Why it ended, in one word or a few. */
  readonly cause: string;
  readonly steps: number;
  /** Kernel events. */
  readonly events: number;
  /** Virtual time at the end, ns, as decimal text. */
  readonly timeNs?: string;
  readonly stateHash: Digest;
  readonly eventHash: Digest;
  readonly [more: string]: unknown;
}

type Check = (value: unknown) => boolean;

const text: Check = (v) => typeof v === 'string';
const count: Check = (v) => typeof v === 'number' && Number.isSafeInteger(v) && v >= 0;
const integer: Check = (v) => Number.isSafeInteger(v);
const digest: Check = (v) => typeof v === 'string' && /^[0-9a-f]{32}$/.test(v);
const between =
  (least: number, most: number): Check =>
  (v) =>
    typeof v === 'number' && Number.isInteger(v) && v >= least && v <= most;
const listOf =
  (item: Check): Check =>
  (v) =>
    Array.isArray(v) && v.every(item);

function check(what: string, value: unknown, fields: Readonly<Record<string, Check>>): void {
  if (typeof value !== 'object' || value === null) throw new PayloadError(`${what} is missing`);
  for (const [name, good] of Object.entries(fields)) {
    if (!good((value as Record<string, unknown>)[name]))
      throw new PayloadError(`${what} has no good ${name}`);
  }
}

function isImage(value: unknown): boolean {
  check('an image of the header', value, { name: text, digest, sizeBytes: count });
  return true;
}

/** Throws PayloadError unless the value is a header. */
export function parseHeader(value: unknown): RecordingHeader {
  check('the header', value, {
    jacinth: text,
    abi: text,
    arch: text,
    images: listOf(isImage),
    arguments: listOf(text),
    environment: listOf(text),
  });
  const header = value as RecordingHeader;
  check("the header's machine", header.machine, {
    cores: between(1, 64),
    quantum: between(1, Number.MAX_SAFE_INTEGER),
    strategy: text,
    seed: integer,
    entropySeed: integer,
    detail: (v) => v === 'essential' || v === 'full',
    maxSteps: (v) => v === null || count(v),
  });
  return header;
}

/** Throws PayloadError unless the value is an end. */
export function parseEnd(value: unknown): RecordingEnd {
  const time: Check = (v) => v === undefined || (typeof v === 'string' && /^\d{1,20}$/.test(v));
  const fields = { exitCode: between(0, 255), cause: text, steps: count, events: count, timeNs: time };
  check('the end', value, { ...fields, stateHash: digest, eventHash: digest });
  return value as RecordingEnd;
}
