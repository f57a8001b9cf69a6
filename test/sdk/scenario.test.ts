import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { syscallByName } from '../../src/abi/syscalls.js';
import type { KernelEvent } from '../../src/kernel/objects/events.js';
import { record } from '../../src/library/record.js';
import { scenario } from './scenario.js';

const ELF = new Uint8Array(readFileSync(new URL('../../../test/guests/scenario.elf', import.meta.url)));

/** What a run is about apart from itself: where things lie in memory, when they happen, who was scheduled. */
const PLACE_AND_TIME = /address|Address|deadlineNs|atNs|base|vmoOffset|offset/;
const OF_THE_MACHINE = new Set(['span', 'slice-started', 'thread-preempted', 'clock-advanced']);

/** Koids, slots and handle values by the order in which they are met: programs of one kind start with fewer objects. */
class Names {
  private readonly known = new Map<string, string>();

  of(kind: string, value: unknown): string {
    if (value === 0) return `no ${kind}`;
    const key = `${kind} ${value}`;
    const name = this.known.get(key) ?? `${kind} #${this.known.size}`;
    this.known.set(key, name);
    return name;
  }
}

const KOIDS = /^(?:koid\d?|process|thread|parent|vmo|vmar|port|source|job|rootVmar|table)$/;

function plain(names: Names, value: unknown, key = ''): unknown {
  if (PLACE_AND_TIME.test(key)) return null;
  if (KOIDS.test(key)) return names.of('koid', value);
  if (/^(?:slot|handle)$/.test(key)) return names.of('slot', value);
  if (/order|Order|number|observer$/.test(key) && typeof value === 'number') return null;
  // Handles in memory are values; sizes and statuses are what counts.
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map((item) => plain(names, item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(names, v, k)]));
}

function entered(names: Names, event: KernelEvent & { readonly type: 'syscall-entered' }): unknown {
  const { args } = syscallByName(event.name)!;
  const values = event.args.map((value, i) => {
    if (args[i].kind === 'pointer') return value === 0 ? 'null' : 'pointer';
    if (args[i].kind === 'handle') return names.of('value', value);
    return /addr/.test(args[i].name) ? 'address' : value;
  });
  return { type: event.type, name: event.name, args: values };
}

/** The events between the marks, as far as they do not say which of the two programs it was. */
function eventsOf(run: ReturnType<typeof record>): unknown[] {
  const out: unknown[] = [];
  const names = new Names();
  let marks = 0;
  run.events.subscribe(({ event }) => {
    if (OF_THE_MACHINE.has(event.type)) return;
    if (event.type === 'syscall-entered' && event.name === 'zx_system_get_physmem') marks++;
    if (marks !== 1) return;
    if (event.type === 'syscall-entered') out.push(entered(names, event));
    // C keeps some of its variables elsewhere than on the stack.
    else if (event.type === 'user-memory-written') out.push(plain(names, { ...event, vmo: 0 }));
    else out.push(plain(names, event));
  });
  run.finish();
  return out;
}

const anyCall = fc.tuple(fc.nat(19), fc.nat(255), fc.nat(255));

test('calls from TypeScript and calls from C are the same events', (t) => {
  let most = 0;
  fc.assert(
    fc.property(fc.array(anyCall, { minLength: 1, maxLength: 60, size: 'max' }), (calls) => {
      const text = calls
        .flat()
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('');
      const c = eventsOf(record(ELF, { name: 'scenario', args: [text] }));
      const typescript = eventsOf(record(scenario, { args: [text] }));
      most = Math.max(most, c.length);
      deepStrictEqual(typescript, c);
    }),
    { numRuns: 150 },
  );
  t.true(most > 100);
});
