import { FeatureKind } from '../../../src/abi/system.js';
import { NOWHERE } from '../../kernel/ipc-support.js';
import { cause, valid } from '../causes.js';

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
