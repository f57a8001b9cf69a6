import test from 'ava';
import { VmoOp } from '../../src/abi/vm.js';
import { watchAt } from '../../src/timeline/watch.js';
import { Harness } from '../kernel/harness.js';
import { gives } from '../kernel/ipc-support.js';
import { fill, map, newVmo, PAGE, RW } from '../kernel/vm-support.js';

test('a page that was written and is again one that was only committed is seen to have been written', (t) => {
  const h = new Harness();
  const vmo = newVmo(h, PAGE);
  const address = map(h, RW, 0, vmo, 0, PAGE);
  const does = (op: number): void => gives(t, h, 'OK', 'zx_vmo_op_range', [vmo, op, 0, PAGE, 0, 0]);
  does(VmoOp.COMMIT);
  const watch = watchAt(h.k, h.process, address, 8)!;
  const before = watch.sample(h.k.snapshot());
  t.deepEqual(watch.sample(h.k.snapshot()), before);
  fill(h, vmo, 0, [1]);
  does(VmoOp.DECOMMIT);
  does(VmoOp.COMMIT);
  t.notDeepEqual(watch.sample(h.k.snapshot()), before);
});
