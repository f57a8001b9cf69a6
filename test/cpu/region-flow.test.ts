import test from 'ava';
import fc from 'fast-check';
import type { Block, Region } from '../../src/cpu/engines/region.js';
import { type Flow, flowOf } from '../../src/cpu/engines/region-flow.js';
import { RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { assemble as asm } from './assemble.js';
import { regionOf } from './region-fixture.js';

// Small random programs, whose regions are held against models that try all paths.

const RUNS = { numRuns: 300 };
const RA = 1;

interface Part {
  readonly body: readonly number[];
  readonly end: 'next' | 'branch' | 'jump' | 'call' | 'indirect-call' | 'indirect' | 'return';
  readonly target: number;
}

const register = fc.integer({ min: 10, max: 13 });
const instruction = fc
  .record({ name: fc.constantFrom('add', 'ld', 'sd'), xd: register, x1: register, x2: register })
  .map(({ name, ...operands }) => asm(name, operands));
const part: fc.Arbitrary<Part> = fc.record({
  body: fc.array(instruction, { minLength: 1, maxLength: 3 }),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant('branch' as const) },
    { weight: 3, arbitrary: fc.constantFrom('next' as const, 'jump', 'call', 'indirect-call') },
    { weight: 1, arbitrary: fc.constantFrom('indirect' as const, 'return') },
  ),
  target: fc.nat(),
});

function endCodes({ end }: Part, displacement: number): number[] {
  switch (end) {
    case 'next':
      return [];
    case 'branch':
      return [asm('bne', { x1: 10, x2: 11, b: displacement })];
    case 'jump':
      return [asm('jal', { j: displacement })];
    case 'call':
      return [asm('jal', { xd: RA, j: displacement })];
    case 'indirect-call':
      return [asm('jalr', { xd: RA, x1: 12 })];
    case 'indirect':
      return [asm('jalr', { x1: 12 })];
    case 'return':
      return [asm('jalr', { x1: RA })];
  }
}

/** Parts one behind the other; targets are starts of parts, or the end of all. */
function layOut(parts: readonly Part[]): number[] {
  const starts = [0];
  for (const p of parts) starts.push(starts.at(-1)! + p.body.length + endCodes(p, 0).length);
  return parts.flatMap((p, i) => {
    const at = starts[i]! + p.body.length;
    return [...p.body, ...endCodes(p, 4 * (starts[p.target % starts.length]! - at))];
  });
}

const regions = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => regionOf(layOut(parts)));

function sorted(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

type Edge = readonly [from: number, to: number];

function targetsOf({ end }: Block): number[] {
  const targets = ['taken' in end ? end.taken : null, 'next' in end ? end.next : null];
  return targets.filter((to) => to !== null);
}

function edgesOf({ blocks }: Region): Edge[] {
  return blocks.flatMap((block, from) => targetsOf(block).map((to): Edge => [from, to]));
}

function isCall({ end }: Block): boolean {
  return end.kind === 'call' || end.kind === 'indirect-call';
}

/** Blocks that are reached from the start without coming through one. */
function reached(edges: readonly Edge[], without: number | null): Set<number> {
  const seen = new Set(without === 0 ? [] : [0]);
  for (const block of seen)
    for (const [from, to] of edges) if (from === block && to !== without) seen.add(to);
  return seen;
}

/** Edges of blocks that are reached, and whether one block is on all ways to another. */
function graphOf(region: Region) {
  const all = edgesOf(region);
  const blocks = reached(all, null);
  const edges = all.filter(([from]) => blocks.has(from));
  const avoiding = region.blocks.map((_, block) => reached(edges, block));
  const dominates = (a: number, b: number): boolean => a === b || !avoiding[a]!.has(b);
  return { blocks, edges, dominates, isBack: ([from, to]: Edge) => dominates(to, from) };
}

/** Whether nothing goes round but through edges back to a block that dominates where they come from. */
function isReducible(region: Region): boolean {
  const { blocks, edges, isBack } = graphOf(region);
  const left = new Set(blocks);
  let rest = edges.filter((edge) => !isBack(edge));
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const block of left) if (!rest.some(([, to]) => to === block)) left.delete(block);
    rest = rest.filter(([from]) => left.has(from));
  }
  return left.size === 0;
}

test('blocks are ordered and nested by the tree of dominators; only ways into the middle of loops are cut', (t) => {
  let loops = 0;
  let cut = 0;
  fc.assert(
    fc.property(regions, (region) => {
      const before = edgesOf(region);
      const wasReducible = isReducible(region);
      const flow = flowOf(region);
      const { blocks, edges, dominates, isBack } = graphOf(region);
      const after = edgesOf(region);
      if (wasReducible) t.deepEqual(after, before);
      else cut++;
      t.true(isReducible(region));
      t.true(after.every((edge) => before.some(([from, to]) => from === edge[0] && to === edge[1])));

      t.deepEqual(sorted(flow.order), sorted(blocks));
      for (const [i, block] of flow.order.entries()) t.is(flow.position[block], i);
      for (const edge of edges) t.is(flow.position[edge[1]]! <= flow.position[edge[0]]!, isBack(edge));
      for (const block of blocks) {
        const above = [...blocks].filter((b) => b !== block && dominates(b, block));
        const nearest = above.filter((b) => above.every((other) => dominates(other, b)));
        t.deepEqual(block === 0 ? [] : [flow.idom[block]], nearest);
        const into = edges.filter(([, to]) => to === block);
        t.is(flow.isLoop[block], into.some(isBack));
        t.is(flow.entrances[block], into.filter((edge) => !isBack(edge)).length);
        if (flow.isLoop[block]) loops++;
      }
    }),
    RUNS,
  );
  t.true(loops > 50 && cut > 3, `${loops} loops, ${cut} regions cut`);
});

/** Steps of all ways from a block's start to where the budget is looked at again. */
function stepsFrom(region: Region, flow: Flow, block: number): number[] {
  const { instructions } = region.blocks[block]!;
  const targets = isCall(region.blocks[block]!) ? [] : targetsOf(region.blocks[block]!);
  const ways = targets.flatMap((to) => (flow.isLoop[to] ? [0] : stepsFrom(region, flow, to)));
  return (ways.length === 0 ? [0] : ways).map((steps) => instructions.length + steps);
}

test('a block costs as much as the longest way to where the budget is looked at again', (t) => {
  fc.assert(
    fc.property(regions, (region) => {
      const flow = flowOf(region);
      for (const block of flow.order)
        t.is(flow.cost[block], Math.max(...stepsFrom(region, flow, block)), `block ${block}`);
    }),
    RUNS,
  );
});

type Registers = ReadonlySet<number>;

/** Runs blocks from the start on, on all ways, with a set of registers that each block changes. */
function explore(
  region: Region,
  start: Registers,
  through: (block: number, before: Registers) => Registers | ((next: number) => Registers),
): void {
  const seen = new Set<string>();
  const work: [number, Registers][] = [[0, start]];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const [block, before] = item;
    const key = `${block}: ${sorted(before)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const after = through(block, before);
    for (const to of targetsOf(region.blocks[block]!)) {
      work.push([to, typeof after === 'function' ? after(to) : after]);
    }
  }
}

function flowsOf(block: Block) {
  return block.instructions.map(({ d }) => RISCV64.dataFlow(d.bits)!);
}

test('dirty is what was written on some way since all was in memory', (t) => {
  fc.assert(
    fc.property(regions, (region) => {
      const flow = flowOf(region);
      const written = region.blocks.map(() => new Set<number>());
      explore(region, new Set(), (number, before) => {
        const block = region.blocks[number]!;
        for (const register of before) written[number]!.add(register);
        if (isCall(block)) return new Set();
        return new Set([...before, ...flowsOf(block).flatMap(({ writes }) => writes)]);
      });
      for (const block of flow.order)
        t.deepEqual(sorted(flow.dirty[block]!), sorted(written[block]!), `block ${block}`);
    }),
    RUNS,
  );
});

test('where a register is read or put into memory, its value is in its local on every way', (t) => {
  fc.assert(
    fc.property(regions, (region) => {
      const flow = flowOf(region);
      explore(region, new Set(flow.live[0]), (number, before) => {
        const block = region.blocks[number]!;
        const valid = new Set(before);
        const dirty = new Set(flow.dirty[number]);
        const need = (registers: Iterable<number>, why: string): void => {
          for (const r of registers) t.true(valid.has(r), `${why} x${r} in block ${number}`);
        };
        if (flow.isLoop[number]) need(dirty, 'out of budget with');
        for (const { reads, writes, loads, stores } of flowsOf(block)) {
          need(reads, 'reads');
          if (loads || stores) need(dirty, 'left with');
          for (const r of writes) {
            dirty.add(r);
            valid.add(r);
          }
        }
        const outside = block.end.kind === 'branch' && (block.end.taken === null || block.end.next === null);
        if (outside || isCall(block) || targetsOf(block).length === 0) need(dirty, 'goes out with');
        return isCall(block) ? (next) => new Set(flow.live[next]) : valid;
      });
    }),
    RUNS,
  );
});

test('what is live is read, or put into memory, before it is written on some way', (t) => {
  fc.assert(
    fc.property(regions, (region) => {
      const flow = flowOf(region);
      const isNeeded = (start: number, register: number): boolean => {
        const seen = new Set([start]);
        for (const number of seen) {
          const block = region.blocks[number]!;
          const flows = flowsOf(block);
          const at = flows.findIndex(({ writes }) => writes.includes(register));
          if (flow.dirty[number]!.has(register)) {
            const leaves = flows.some(({ loads, stores }) => loads || stores);
            const targets = block.end.kind === 'branch' ? 2 : 1;
            if (leaves || flow.isLoop[number] || isCall(block) || targetsOf(block).length < targets)
              return true;
          }
          if (flows.slice(0, at < 0 ? undefined : at + 1).some(({ reads }) => reads.includes(register)))
            return true;
          if (at < 0 && !isCall(block)) for (const to of targetsOf(block)) seen.add(to);
        }
        return false;
      };
      for (const block of flow.order)
        for (const r of flow.live[block]!) t.true(isNeeded(block, r), `x${r} at block ${block}`);
    }),
    RUNS,
  );
});
