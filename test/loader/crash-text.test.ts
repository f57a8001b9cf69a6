import test from 'ava';
import fc from 'fast-check';
import { ExceptionType } from '../../src/abi/exceptions.js';
import { PolicyExceptionCode } from '../../src/abi/policy.js';
import { Status } from '../../src/abi/status.js';
import { type CrashException, type CrashReport, crashText } from '../../src/loader/crash-text.js';
import { readElf } from '../../src/loader/elf.js';
import { loadedModule, Symbolizer } from '../../src/loader/symbols.js';
import { buildVdso } from '../../src/loader/vdso.js';
import { RISCV64_VDSO } from '../../src/loader/vdso-riscv64.js';
import { withSymbols } from './craft.js';
import { fixture } from './support.js';

const NAMES = `pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7
  s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6`.split(/\s+/);
const layout = readElf(fixture('layout.elf'));
const vdso = readElf(buildVdso(RISCV64_VDSO, [{ number: 1, name: 'zx_one', flags: [] }]).image);
const program = loadedModule('layout', layout, 0x200000);
const symbolizer = new Symbolizer([program, loadedModule('libzircon.so', vdso, 0x3f00000000)]);
const inner = 0x200000 + layout.symbols.find('inner')!.address;

const report: CrashReport = {
  process: { name: 'layout', koid: 1027 },
  thread: { name: 'initial-thread', koid: 1033 },
  exception: {
    type: ExceptionType.FATAL_PAGE_FAULT,
    synthCode: Status.ERR_NOT_FOUND,
    synthData: 0,
    access: 'store',
    address: 0n,
  },
  archName: 'riscv64',
  pc: BigInt(inner + 0x12),
  registers: NAMES.map((name, i) => [
    name,
    i === 0 ? BigInt(inner + 0x12) : i === 8 ? (1n << 64n) - 1n : BigInt(i * i),
  ]),
  exceptionRegisters: [
    ['cause', 15n],
    ['tval', 0n],
  ],
  frames: [
    { address: BigInt(inner + 0x12), kind: 'pc' },
    { address: BigInt(0x200000 + layout.symbols.find('outer')!.address + 18), kind: 'ra' },
    { address: BigInt(0x200000 + layout.symbols.find('after_outer')!.address), kind: 'ra' },
    { address: 0x123n, kind: 'ra' },
    { address: (1n << 64n) - 2n, kind: 'ra' },
  ],
};

test('the whole text', (t) => {
  t.is(
    crashText(report, symbolizer),
    `<== CRASH: process layout[1027] thread initial-thread[1033]
<== write not-present page fault (error ZX_ERR_NOT_FOUND) at 0x0, PC at 0x20025e
 pc            0x20025e ra                 0x1 sp                 0x4 gp                 0x9
 tp                0x10 t0                0x19 t1                0x24 t2                0x31
 s0  0xffffffffffffffff s1                0x51 a0                0x64 a1                0x79
 a2                0x90 a3                0xa9 a4                0xc4 a5                0xe1
 a6               0x100 a7               0x121 s2               0x144 s3               0x169
 s4               0x190 s5               0x1b9 s6               0x1e4 s7               0x211
 s8               0x240 s9               0x271 s10              0x2a4 s11              0x2d9
 t3               0x310 t4               0x349 t5               0x384 t6               0x3c1
 cause              0xf tval               0x0
exception: ZX_EXCP_FATAL_PAGE_FAULT
arch: riscv64
{{{reset}}}
{{{module:0:layout:elf:${layout.buildId}}}}
{{{mmap:0x200000:0x1000:load:0:rx:0x0}}}
{{{mmap:0x201000:0x6000:load:0:rw:0x1000}}}
{{{module:1:libzircon.so:elf:${vdso.buildId}}}}
{{{mmap:0x3f00000000:0x1000:load:1:r:0x0}}}
{{{mmap:0x3f00001000:0x1000:load:1:rx:0x1000}}}
{{{bt:0:0x20025e:pc}}}
{{{bt:1:0x2002b0:ra}}}
{{{bt:2:0x200246:ra}}}
{{{bt:3:0x123:ra}}}
{{{bt:4:0xfffffffffffffffe:ra}}}
{{{reset}}}
   #0   0x20025e           in inner+0x12 (layout+0x25e)
   #1   0x2002b0           in outer+0x12 (layout+0x2b0)
   #2   0x200246           in _start+0x4 (layout+0x246)
   #3   0x123
   #4   0xfffffffffffffffe
`,
  );
});

test('what went wrong, in words', (t) => {
  const line = (exception: Partial<CrashException>) => {
    const whole = { type: 0, synthCode: 0, synthData: 0, ...exception };
    return crashText({ ...report, exception: whole }, symbolizer).split('\n')[1];
  };
  const { ERR_ACCESS_DENIED, ERR_OUT_OF_RANGE } = Status;
  const fault = { type: ExceptionType.FATAL_PAGE_FAULT, address: 0x1234n };
  const cases: [Partial<CrashException>, string][] = [
    [
      { ...fault, synthCode: ERR_ACCESS_DENIED, access: 'load' },
      'read protection page fault (error ZX_ERR_ACCESS_DENIED) at 0x1234',
    ],
    [
      { ...fault, synthCode: ERR_ACCESS_DENIED >>> 0, access: 'fetch' },
      'execute protection page fault (error ZX_ERR_ACCESS_DENIED) at 0x1234',
    ],
    [
      { ...fault, synthCode: ERR_OUT_OF_RANGE, access: 'store' },
      'write unknown page fault (error ZX_ERR_OUT_OF_RANGE) at 0x1234',
    ],
    [{ type: ExceptionType.UNDEFINED_INSTRUCTION }, 'undefined instruction'],
    [{ type: ExceptionType.SW_BREAKPOINT }, 'sw breakpoint'],
    [{ type: ExceptionType.GENERAL }, 'general fault'],
    [
      { type: ExceptionType.UNALIGNED_ACCESS, access: 'load', address: 0x1235n },
      'alignment fault, read at 0x1235',
    ],
    [
      { type: ExceptionType.POLICY_ERROR, synthCode: PolicyExceptionCode.BAD_SYSCALL, synthData: 77 },
      'policy error: BAD_SYSCALL (18, syscall 77)',
    ],
    [
      { type: ExceptionType.POLICY_ERROR, synthCode: PolicyExceptionCode.NEW_VMO },
      'policy error: NEW_VMO (4)',
    ],
    [{ type: ExceptionType.POLICY_ERROR, synthCode: 999 }, 'policy error: <unknown policy code> (999)'],
    [{ type: ExceptionType.USER }, 'exception ZX_EXCP_USER'],
  ];
  for (const [exception, text] of cases) t.is(line(exception), `<== ${text}, PC at 0x20025e`);
});

test('names from outside cannot disturb a terminal, the markup or the width', (t) => {
  const anyName = fc.string({ unit: 'binary', maxLength: 300 }).filter((name) => !name.includes('\0'));
  fc.assert(
    fc.property(anyName, anyName, anyName, (task, module, symbol) => {
      const elf = withSymbols([{ name: symbol, address: 0x100, sizeBytes: 16 }]);
      const crafted = new Symbolizer([loadedModule(module, elf, 0x200000)]);
      const named = { name: task, koid: 1 };
      const frames = [{ address: 0x200108n, kind: 'pc' } as const];
      const lines = crashText({ ...report, process: named, thread: named, frames }, crafted).split('\n');
      const markup = lines.filter((line) => line.startsWith('{{{'));
      return (
        lines.every((line) => /^[\x20-\x7e]{0,110}$/.test(line)) &&
        lines.length === 20 &&
        markup.length === 5 &&
        markup.every((line) => /^\{\{\{[^}]*\}\}\}$/.test(line)) &&
        /^\{\{\{module:0:[^:]*:elf:\}\}\}$/.test(markup[1])
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});
