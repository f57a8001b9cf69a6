import test from 'ava';
import fc from 'fast-check';
import { IntMap } from '../../src/base/int-map.js';
import { seedPrng } from '../../src/base/prng.js';
import { emptyState, Kernel, type KernelState } from '../../src/kernel/objects/kernel.js';
import { newObject } from '../../src/kernel/objects/object.js';
import { FAKE_ARCH } from './harness.js';

const CONFIG = { cores: 1, entropySeed: 1, physicalPages: 64, vintage: '2023', aslr: false } as const;
/** More than a cursor remembers, so that places of its memory are used again. */
const OBJECTS = 200;

/** Signals by koid: all that is changed here. */
type Model = ReadonlyMap<number, number>;

function signalsOf(state: KernelState): Model {
  return new Map([...state.objects.entries()].map(([koid, { signals }]) => [koid, signals]));
}

const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('change'), which: fc.nat(OBJECTS - 1), signals: fc.nat(99) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), which: fc.nat(OBJECTS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('snapshot') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore'), which: fc.nat(9) }) },
);

test('a cursor finds what its state has, and no snapshot changes', (t) => {
  fc.assert(
    fc.property(fc.constantFrom('owned', 'immer'), fc.array(action, { maxLength: 60 }), (draft, actions) => {
      const k = new Kernel(emptyState(CONFIG, seedPrng(1, 'cprng')), CONFIG, FAKE_ARCH, draft);
      const first = k.state.nextKoid;
      let model = new Map<number, number>();
      for (let koid = first; koid < first + OBJECTS; koid++) {
        k.create({ kind: 'event', ...newObject(koid, 0, IntMap.empty()) });
        model.set(koid, 0);
      }
      const kept: { readonly state: KernelState; readonly model: Model }[] = [];
      const keep = (): void => void kept.push({ state: k.snapshot(), model: new Map(model) });
      keep();
      for (const a of actions) {
        if (a.do === 'snapshot') keep();
        else if (a.do === 'restore') {
          const { state, model: then } = kept[a.which % kept.length];
          k.restore(state);
          model = new Map(then);
        } else if (model.has(first + a.which)) {
          const koid = first + a.which;
          if (a.do === 'remove') {
            k.remove(koid);
            model.delete(koid);
          } else {
            k.update(koid, 'event', (object) => {
              object.signals = a.signals;
            });
            model.set(koid, a.signals);
          }
        }
        for (let koid = first; koid < first + OBJECTS; koid++) {
          if (k.find(koid)?.signals !== model.get(koid)) return false;
        }
      }
      for (const { state, model: then } of kept) t.deepEqual(signalsOf(state), then);
      return true;
    }),
    { numRuns: 100 },
  );
  t.pass();
});
