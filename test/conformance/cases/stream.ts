import { StreamMode, StreamSeekOrigin } from '../../../src/abi/ipc.js';
import { DEFAULT_RIGHTS, Right } from '../../../src/abi/rights.js';
import { CachePolicy, VmoOption } from '../../../src/abi/vm.js';
import type { Harness } from '../../kernel/harness.js';
import { koidOf, NOWHERE, words } from '../../kernel/ipc-support.js';
import { newVmo, PAGE } from '../../kernel/vm-support.js';
import { type Args, refuses, valid } from '../causes.js';

const { READ, WRITE } = StreamMode;

function newStream(h: Harness, vmo = newVmo(h, PAGE), seek: number | bigint = 0): number {
  const out = h.scratch(4);
  const result = h.call('zx_stream_create', [READ | WRITE, vmo, seek, out]);
  if (result !== 0n) throw new Error(`zx_stream_create: ${result}`);
  return h.u32(out);
}

/** A stream over memory that is not cached, which the kernel does not copy. */
function uncached(h: Harness): number {
  const vmo = newVmo(h, PAGE);
  h.call('zx_vmo_set_cache_policy', [vmo, CachePolicy.UNCACHED]);
  return newStream(h, vmo);
}

/** One zx_iovec_t. */
function vector(h: Harness, address: number, length = 8): number {
  return h.scratch(words(address, 0, length, 0));
}

valid('zx_stream_create', (h) => [READ, newVmo(h, PAGE), 0, h.scratch(4)]);
refuses(
  'zx_stream_create',
  'ERR_ACCESS_DENIED',
  'vmo lacks READ and WRITE as the mode asks',
  (h) => [READ, h.give(koidOf(h, newVmo(h, PAGE)), Right.WRITE), 0, h.scratch(4)],
  (h) => [WRITE, h.give(koidOf(h, newVmo(h, PAGE)), Right.READ), 0, h.scratch(4)],
);
refuses(
  'zx_stream_create',
  'ERR_INVALID_ARGS',
  'unknown mode bits or bad out',
  (h) => [0x10, newVmo(h, PAGE), 0, h.scratch(4)],
  (h) => [READ, newVmo(h, PAGE), 0, NOWHERE],
);

for (const call of [
  'zx_stream_readv',
  'zx_stream_readv_at',
  'zx_stream_writev',
  'zx_stream_writev_at',
] as const) {
  const reads = call.includes('read');
  const args = (
    h: Harness,
    stream: number,
    vectors: number,
    options = 0,
    offset: number | bigint = 0,
  ): Args =>
    call.endsWith('_at')
      ? [stream, options, offset, vectors, 1, h.scratch(8)]
      : [stream, options, vectors, 1, h.scratch(8)];
  valid(call, (h) => args(h, newStream(h), vector(h, h.scratch(8))));
  refuses(call, 'ERR_BAD_STATE', reads ? 'source unreadable' : 'source unwritable', (h) =>
    args(h, uncached(h), vector(h, h.scratch(8))),
  );
  refuses(
    call,
    'ERR_INVALID_ARGS',
    'options or vector',
    (h) => args(h, newStream(h), vector(h, h.scratch(8)), 2),
    (h) => args(h, newStream(h), NOWHERE),
    (h) => args(h, newStream(h), 0),
  );
  refuses(call, 'ERR_NOT_FOUND', 'buffer unmapped', (h) => args(h, newStream(h), vector(h, NOWHERE)));
  if (reads) continue;
  const last = 2n ** 64n - 4n;
  refuses(call, 'ERR_FILE_BIG', 'max size', (h) =>
    args(h, newStream(h, newVmo(h, PAGE), last), vector(h, h.scratch(8)), 0, last),
  );
  // A VMO that cannot grow has no room behind its end.
  refuses(call, 'ERR_NO_SPACE', 'cannot grow', (h) =>
    args(h, newStream(h, newVmo(h, PAGE), PAGE), vector(h, h.scratch(8)), 0, PAGE),
  );
}

const seek = (
  h: Harness,
  whence: number,
  offset: number | bigint,
  rights = DEFAULT_RIGHTS.stream | Right.READ,
): Args => [
  h.give(koidOf(h, newStream(h, newVmo(h, PAGE, VmoOption.RESIZABLE), 5)), rights),
  whence,
  offset,
  h.scratch(8),
];

valid('zx_stream_seek', (h) => seek(h, StreamSeekOrigin.CURRENT, -5n));
refuses('zx_stream_seek', 'ERR_ACCESS_DENIED', 'handle lacks READ or WRITE, either will do', (h) =>
  seek(h, StreamSeekOrigin.START, 0, DEFAULT_RIGHTS.stream),
);
refuses(
  'zx_stream_seek',
  'ERR_INVALID_ARGS',
  'unknown whence or result negative/overflow',
  (h) => seek(h, 3, 0),
  (h) => seek(h, StreamSeekOrigin.CURRENT, -6n),
  (h) => [newStream(h, newVmo(h, PAGE), 2n ** 64n - 1n), StreamSeekOrigin.CURRENT, 1, h.scratch(8)],
);
