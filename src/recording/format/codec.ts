import { deflateSync, inflateSync, Inflate as PartInflate } from 'fflate/browser';
import type { Inflate } from './byte-source.js';
import { CODEC_DEFLATE, CODEC_RAW } from './layout.js';
import { PayloadError } from './recording-error.js';

/** Below this, deflate's own bytes cost more than they save. */
const WORTH_DEFLATING_BYTES = 48;
/** Deflate gives at most 258 bytes for two bits (RFC 1951, 3.2.5), so nothing longer can come of a stored byte. */
const MOST_BYTES_FOR_ONE = 1032;
/** So little is inflated in one go, three times as fast: 64 MiB may come of it, which are counted and not kept. */
const INFLATE_WHOLE_BYTES = 64 << 10;
/** How much is inflated at once of more: at most 2 MiB come of it before their length is looked at. */
const INFLATE_STEP_BYTES = 2 << 10;

/** Makes a raw deflate stream (RFC 1951), or gives back what it got: that is stored as it is. */
export type Deflate = (payload: Uint8Array) => Uint8Array;

/** The same bytes give the same result everywhere. `mem`, because fflate's choice goes through a logarithm of the host. */
const deflateAnywhere: Deflate = (payload) => deflateSync(payload, { level: 6, mem: 4 });

/** Deflates where that makes it smaller. */
export function compress(
  payload: Uint8Array,
  deflate: Deflate = deflateAnywhere,
): { codec: number; stored: Uint8Array } {
  if (payload.length >= WORTH_DEFLATING_BYTES) {
    const stored = deflate(payload);
    if (stored.length < payload.length) return { codec: CODEC_DEFLATE, stored };
  }
  return { codec: CODEC_RAW, stored: payload };
}

/** The payload, of exactly `rawLength` bytes; what inflates to more is given up as soon as it does. */
export function decompress(
  codec: number,
  stored: Uint8Array,
  rawLength: number,
  inflate?: Inflate,
): Uint8Array {
  if (codec === CODEC_RAW) return stored;
  if (codec !== CODEC_DEFLATE) throw new PayloadError(`codec ${codec} is unknown`);
  if (rawLength > stored.length * MOST_BYTES_FOR_ONE)
    throw new PayloadError('it inflates to less than it claims');
  if (inflate !== undefined || stored.length <= INFLATE_WHOLE_BYTES)
    return inflateWhole(stored, rawLength, inflate ?? inflateAnywhere);
  return inflateParts(stored, rawLength);
}

const inflateAnywhere: Inflate = (stored, most) => inflateSync(stored, { out: new Uint8Array(most) });

function inflateWhole(stored: Uint8Array, rawLength: number, inflate: Inflate): Uint8Array {
  // Room for one byte too many shows that there are too many.
  const out = inflate(stored, rawLength + 1);
  if (out.length > rawLength) throw new PayloadError('it inflates to more than it claims');
  if (out.length < rawLength) throw new PayloadError('it inflates to less than it claims');
  return out;
}

function inflateParts(stored: Uint8Array, rawLength: number): Uint8Array {
  const out = new Uint8Array(rawLength);
  let length = 0;
  const inflate = new PartInflate((part) => {
    if (length + part.length > rawLength) throw new PayloadError('it inflates to more than it claims');
    out.set(part, length);
    length += part.length;
  });
  for (let at = 0; at < stored.length; at += INFLATE_STEP_BYTES) {
    const next = at + INFLATE_STEP_BYTES;
    inflate.push(stored.subarray(at, next), next >= stored.length);
  }
  if (length !== rawLength) throw new PayloadError('it inflates to less than it claims');
  return out;
}
