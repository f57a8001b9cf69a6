import { readFileSync } from 'node:fs';
import test from 'ava';
import { copyOf, copyOfShared } from '../../src/kernel/objects/copies.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';

for (const name of ['process-tree', 'port-timer', 'rseq', 'futex-mutex']) {
  test(`a copy of what is changed after a snapshot has all its fields: ${name}`, (t) => {
    const bytes = new Uint8Array(readFileSync(`test/guests/${name}.elf`));
    const machine = launch({ ...DEFAULTS, program: { name, bytes, args: [name], environ: [] } });
    const kinds = new Set<string>();
    for (let i = 0; !machine.halted; i++) {
      machine.command();
      if (i % 100 !== 0) continue;
      for (const object of machine.k.state.objects.values()) {
        kinds.add(object.kind);
        const copy = copyOf(object);
        t.not(copy, object);
        t.deepEqual(Object.entries(copy), Object.entries(object));
      }
      for (const shared of machine.k.state.shared.values())
        t.deepEqual(Object.entries(copyOfShared(shared)), Object.entries(shared));
    }
    t.true(kinds.has('thread') && kinds.has('vmo') && kinds.has('process'));
  });
}
