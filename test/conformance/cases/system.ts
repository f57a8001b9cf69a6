import { PolicyAction } from '../../../src/abi/policy.js';
import { ALL_RIGHTS } from '../../../src/abi/rights.js';
import { FeatureKind, SystemEventKind } from '../../../src/abi/system.js';
import type { Harness } from '../../kernel/harness.js';
import { NO_HANDLE, NOWHERE, newEvent } from '../../kernel/ipc-support.js';
import { underPolicy } from '../../kernel/policy-support.js';
import { type Args, cause, excuse, refuses, valid } from '../causes.js';

for (const options of [0, 0x100]) {
  cause('zx_cache_flush', 'ERR_INVALID_ARGS', 'unknown or empty option bits', (h) =>
    h.call('zx_cache_flush', [h.scratch(64), 64, options]),
  );
}
cause('zx_cprng_add_entropy', 'ERR_INVALID_ARGS', 'over 256 bytes or bad pointer', (h) =>
  h.call('zx_cprng_add_entropy', [h.scratch(257), 257]),
);
cause('zx_cprng_add_entropy', 'ERR_INVALID_ARGS', 'over 256 bytes or bad pointer', (h) =>
  h.call('zx_cprng_add_entropy', [NOWHERE, 1]),
);
cause('zx_system_barrier', 'ERR_INVALID_ARGS', 'unknown kind', (h) => h.call('zx_system_barrier', [2]));
cause('zx_system_get_features', 'ERR_NOT_SUPPORTED', 'kind unknown on this arch', (h) =>
  h.call('zx_system_get_features', [FeatureKind.CPU, h.scratch(4)]),
);

valid('zx_syscall_test_handle_create', (h) => [0, h.scratch(4)]);
cause('zx_syscall_test_wrapper', 'ERR_OUT_OF_RANGE', 'negative argument or sum over 50', (h) =>
  h.call('zx_syscall_test_wrapper', [20, 20, 11]),
);

const rootJob = (h: Harness): number => h.give(h.k.state.rootJob, ALL_RIGHTS);
valid('zx_system_get_event', (h) => [rootJob(h), SystemEventKind.MEMORY_PRESSURE_NORMAL, h.scratch(4)]);
refuses('zx_system_get_event', 'ERR_ACCESS_DENIED', 'not the root job', (h) => [
  h.handles.job,
  SystemEventKind.MEMORY_PRESSURE_NORMAL,
  h.scratch(4),
]);
refuses('zx_system_get_event', 'ERR_INVALID_ARGS', 'kind', (h) => [rootJob(h), 99, h.scratch(4)]);

/** Resources are a driver's: no handle is one, so each of these calls ends where it looks at the resource. */
const NO_RESOURCES = 'there are no resources to give the call, so it never comes to that';
const stall = (h: Harness, resource: number, threshold = 1, window = 2): Args => [
  resource,
  0,
  threshold,
  window,
  h.scratch(4),
];
const badStall = 'threshold>window, window over 10 s, either not positive, or kind';
refuses('zx_system_watch_memory_stall', 'ERR_INVALID_ARGS', badStall, (h) => stall(h, newEvent(h), 3));
refuses(
  'zx_system_watch_memory_stall',
  'ERR_BAD_HANDLE',
  "resource is not in the caller's handle table",
  (h) => stall(h, NO_HANDLE),
);
refuses('zx_system_watch_memory_stall', 'ERR_WRONG_TYPE', 'resource is not a resource', (h) =>
  stall(h, newEvent(h)),
);
refuses('zx_system_watch_memory_stall', 'ERR_ACCESS_DENIED', 'job policy denies NEW_EVENT', (h) => {
  underPolicy(h, 'NEW_EVENT', PolicyAction.DENY);
  return stall(h, NO_HANDLE);
});
excuse('zx_system_watch_memory_stall', 'ERR_NO_MEMORY', 'no memory or handles left', NO_RESOURCES);
