import { excuse } from '../causes.js';

/** What the kernel tells the vDSO when a thread is to be suspended in the middle of a call, so that it calls again. */
const STAYS = 'a suspended thread stays in its call and goes on with it: nobody has to call again';

for (const call of ['zx_nanosleep', 'zx_futex_wait'] as const)
  excuse(call, 'ERR_INTERNAL_INTR_RETRY', 'suspended, vDSO retries', STAYS);
for (const call of ['zx_object_wait_one', 'zx_object_wait_many', 'zx_port_wait'] as const)
  excuse(call, 'ERR_INTERNAL_INTR_RETRY', 'suspended', STAYS);
