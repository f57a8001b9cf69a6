import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Prng, seedPrng } from '../../src/base/prng.js';
import { explain } from '../../src/cli/errors.js';
import { crashReport, symbolizerFor } from '../../src/loader/crash-report.js';
import { ElfError } from '../../src/loader/elf.js';
import { DEFAULTS, launch } from '../../src/loader/launch.js';
import { guest, jacinthEach, scratchFolder } from '../cli/jacinth.js';

const PROGRAMS = ['hello', 'hello-pie', 'null-pointer'];
const MEMORY_LIMIT_BYTES = 256 << 20;
/** Of one file, in-process: generous, because the host may be busy; a hang is what it is about. */
const TIME_LIMIT_MS = 10_000;

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(guest(name)));
}

/** Runs what may be a program as `jacinth run` would, for a while: 'refused', or why it ended. */
function attempt(bytes: Uint8Array): string {
  try {
    const program = { name: 'mutant', bytes, args: ['mutant'], environ: [] };
    const machine = launch({ ...DEFAULTS, program, maxSteps: 20_000 });
    machine.happened.subscribe(({ event }) => {
      if (event.type === 'exception-unhandled')
        crashReport(machine.k, event, symbolizerFor(program, machine.k.config));
    });
    machine.run();
    return machine.k.state.halt!.kind;
  } catch (reason) {
    if (!(reason instanceof ElfError)) throw reason;
    const { line, status } = explain(reason);
    if (!/^jacinth: \P{Cc}{5,400}$/u.test(line) || status !== 126) throw new Error(`not one line: ${line}`);
    return 'refused';
  }
}

/** Tries many; throws, naming the mutant, when one does worse than be refused or run. */
function attemptAll(mutants: Iterable<readonly [name: string, bytes: Uint8Array]>): Map<string, number> {
  const outcomes = new Map<string, number>();
  for (const [name, bytes] of mutants) {
    const started = performance.now();
    try {
      const outcome = attempt(bytes);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (reason) {
      throw new Error(`${name}: ${reason instanceof Error ? reason.stack : reason}`);
    }
    const ms = performance.now() - started;
    if (ms > TIME_LIMIT_MS) throw new Error(`${name}: took ${ms.toFixed()} ms`);
  }
  return outcomes;
}

const summary = (outcomes: Map<string, number>): string =>
  [...outcomes].map((pair) => pair.join(' ')).join(', ');

test('cut anywhere, a program is refused or runs', (t) => {
  function* cuts(): Generator<readonly [string, Uint8Array]> {
    for (const name of PROGRAMS) {
      const bytes = bytesOf(name);
      for (let length = 0; length < bytes.length; length += length < 1024 ? 5 : 197) {
        yield [`${name} cut to ${length} bytes`, bytes.slice(0, length)];
      }
    }
  }
  const outcomes = attemptAll(cuts());
  t.true(outcomes.get('refused')! > 300, summary(outcomes));
});

test('with any bit of its headers flipped, a program is refused or runs', (t) => {
  function* flips(): Generator<readonly [string, Uint8Array]> {
    for (const [name, stride] of [
      ['hello', 1],
      ['hello-pie', 3],
    ] as const) {
      const bytes = bytesOf(name);
      const view = new DataView(bytes.buffer);
      const programHeaders = 64 + 56 * view.getUint16(56, true);
      for (let bit = 0; bit < 8 * programHeaders; bit += stride) yield flipped(name, bytes, bit);
      // Section headers name symbols and notes: crash texts read them.
      const sections = Number(view.getBigUint64(40, true));
      for (let bit = 8 * sections; bit < 8 * bytes.length; bit += 41) yield flipped(name, bytes, bit);
    }
  }
  const outcomes = attemptAll(flips());
  t.log(summary(outcomes));
  t.true(outcomes.get('refused')! > 500 && outcomes.get('exited')! > 500);
});

function flipped(name: string, bytes: Uint8Array, bit: number): readonly [string, Uint8Array] {
  const copy = bytes.slice();
  copy[bit >> 3] ^= 1 << (bit & 7);
  return [`${name}, bit ${bit} flipped`, copy];
}

test('with bytes changed anywhere, a program is refused or runs', (t) => {
  const random = new Prng(seedPrng(1, 'mutants'));
  const values = [0, 1, 0x7f, 0x80, 0xff];
  function* mutants(): Generator<readonly [string, Uint8Array]> {
    for (let i = 0; i < 900; i++) {
      const bytes = bytesOf(PROGRAMS[i % PROGRAMS.length]);
      const count = 1 + random.below(8);
      for (let k = 0; k < count; k++) {
        const at = random.below(random.below(2) === 0 ? 512 : bytes.length);
        bytes[at] = random.below(2) === 0 ? values[random.below(values.length)] : random.below(256);
      }
      yield [`mutant ${i}`, bytes];
    }
  }
  const outcomes = attemptAll(mutants());
  t.log(summary(outcomes));
  t.true(outcomes.get('refused')! > 100 && outcomes.size > 2);
});

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=',
  'base64',
);

/** Files of all sorts, by what the message must say. */
function foreignFiles(folder: string): Record<string, RegExp> {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('picture.png'), PNG);
  writeFileSync(at('notes.txt'), 'Dear diary,\n');
  writeFileSync(at('empty'), '');
  writeFileSync(at('huge'), bytesOf('hello'));
  truncateSync(at('huge'), 8 * 2 ** 30);
  writeFileSync(at('large'), bytesOf('hello'));
  truncateSync(at('large'), (32 << 20) + 1);
  writeFileSync(at('half.elf'), bytesOf('hello').slice(0, 3000));
  mkdirSync(at('folder'));
  execFileSync('mkfifo', [at('pipe')]);
  return {
    'picture.png': /not an ELF file/,
    'notes.txt': /not an ELF file/,
    empty: /not an ELF file/,
    huge: /a program of more than 32 MiB/,
    large: /a program of more than 32 MiB/,
    'half.elf': /past the end/,
    folder: /not a readable program/,
    pipe: /not a readable program/,
  };
}

test('jacinth run: foreign files give one line and 126, soon and in little memory', (t) => {
  const folder = scratchFolder();
  const files = Object.entries(foreignFiles(folder));
  const missing = join(folder, 'nothing');
  const outcomes = jacinthEach([...files.map(([name]) => ['run', join(folder, name)]), ['run', missing]]);
  for (const [i, [name, says]] of files.entries()) {
    const { status, stdout, stderr, peakBytes } = outcomes[i];
    t.is(status, 126, `${name}: ${stderr}`);
    t.is(stdout, '');
    t.regex(stderr, /^jacinth: [^\n]+\n$/, name);
    t.regex(stderr, says, name);
    t.true(peakBytes < MEMORY_LIMIT_BYTES, `${name}: ${peakBytes >> 20} MiB`);
  }
  const { status, stderr } = outcomes[files.length];
  t.is(status, 127);
  t.regex(stderr, /^jacinth: no such file, [^\n]+\n$/);
});

test('jacinth run: damaged programs give one line and 126, or run, in little memory', (t) => {
  const folder = scratchFolder();
  const bytes = bytesOf('hello');
  const view = (change: (view: DataView) => void): Uint8Array => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };
  const mutants: Record<string, Uint8Array> = {
    'cut-in-headers': bytes.slice(0, 100),
    'cut-in-code': bytes.slice(0, 5000),
    'segments-of-a-gigabyte': view((v) => v.setBigUint64(64 + 56 + 40, 1n << 30n, true)),
    'segments-of-all': view((v) => v.setBigUint64(64 + 56 + 40, (1n << 63n) + 1n, true)),
    'sections-everywhere': view((v) => v.setBigUint64(40, 1n << 40n, true)),
    'many-headers': view((v) => v.setUint16(56, 0xffff, true)),
    'entry-nowhere': view((v) => v.setBigUint64(24, 0x123456789n, true)),
    'for-x64': view((v) => v.setUint16(18, 62, true)),
    'padded-to-32-MiB': bytes,
  };
  const commands = Object.entries(mutants).map(([name, mutant]) => {
    const path = join(folder, name);
    writeFileSync(path, mutant);
    if (name.startsWith('padded')) truncateSync(path, 32 << 20);
    return ['run', path, '--max-steps', '100000'];
  });
  const outcomes = jacinthEach(commands);
  for (const [i, name] of Object.keys(mutants).entries()) {
    const { status, stderr, peakBytes } = outcomes[i];
    t.true([0, 124, 126, 134].includes(status), `${name}: ${status} ${stderr}`);
    t.notRegex(stderr, /internal error|\n\s+at /, name);
    if (status === 126) t.regex(stderr, /^jacinth: [^\n]+\n$/, name);
    t.true(peakBytes < MEMORY_LIMIT_BYTES, `${name}: ${peakBytes >> 20} MiB`);
  }
});
