import { fc, testProp } from '@fast-check/ava';
import type { ExecutionContext } from 'ava';
import { Right } from '../../src/abi/rights.js';
import { VM_ALIGN_SHIFT, VmOption } from '../../src/abi/vm.js';
import { findMapping, type VmarState } from '../../src/kernel/objects/vmar.js';
import { Harness } from './harness.js';
import { koidOf, statusName, withRights } from './ipc-support.js';
import { CAN_MAP_RWX, newVmar, newVmo, PAGE, vmarOf } from './vm-support.js';
import { type ModelVmar, PageModel, type Placing, type Wish } from './vmar-model.js';

const PAGES = 24;
const VMO_PAGES = 6;
/** Far beyond 4 GiB, and on no great power of two. */
const OFFSET = 0x3123456000;
const LETTERS = 'rwx';

const HOW: Readonly<Record<Placing, number>> = {
  any: 0,
  specific: VmOption.SPECIFIC,
  overwrite: VmOption.SPECIFIC_OVERWRITE,
  limit: VmOption.OFFSET_IS_UPPER_LIMIT,
};

/** Bits 0, 1, 2 for 'r', 'w', 'x', times the value of the lowest. */
function bits(letters: string, lowest: number): number {
  return [...LETTERS].reduce((sum, letter, i) => (letters.includes(letter) ? sum + lowest * 2 ** i : sum), 0);
}

/** Mostly in the VMAR; the largest values are not. */
function placeIn({ first, count }: ModelVmar, choice: number): number {
  return first + (choice >= PAGES ? choice : choice % count);
}

const often = <T>(weight: number, usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare });
const anyLetters = fc.subarray([...LETTERS]).map((letters) => letters.join(''));
const permissions = often(6, fc.constantFrom('', 'r', 'rw', 'rw', 'rwx', 'rx'), anyLetters);
/** Also one that was destroyed. */
const ANY_VMAR = 7;
const vmar = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 4, 5, ANY_VMAR);
const page = fc.nat({ max: PAGES + 1 });
const someCount = often(12, fc.integer({ min: 1, max: 5 }), page);
const wish = (hows: Placing[]): fc.Arbitrary<Wish> =>
  fc.constantFrom(...hows).chain((how) =>
    fc.record({
      how: fc.constant(how),
      at: how === 'any' ? often(15, fc.constant(0), page) : page,
      count: someCount,
      alignment: fc.constantFrom(1, 1, 1, 2, 8),
    }),
  );

const allocate = fc.record({
  op: fc.constant('allocate' as const),
  vmar,
  wish: wish(['any', 'specific', 'limit']),
  can: often(
    5,
    fc.constant('rwxs'),
    fc.tuple(anyLetters, fc.boolean()).map(([p, specific]) => (specific ? `${p}s` : p)),
  ),
});
const map = fc.record({
  op: fc.constant('map' as const),
  vmar,
  wish: wish(['any', 'specific', 'overwrite', 'limit']),
  now: permissions,
  vmoRights: often(4, fc.constant('rwx'), fc.constantFrom('rw', 'r', 'rx', '')),
  vmoPage: fc.nat({ max: VMO_PAGES }),
  faults: often(4, fc.constant(true), fc.constant(false)),
});
/** `first`: see `placeIn`. */
const place = {
  vmar,
  first: page,
  count: someCount,
  children: often(3, fc.constant(true), fc.constant(false)),
};
const unmap = fc.record({ op: fc.constant('unmap' as const), ...place });
const protect = fc.record({ op: fc.constant('protect' as const), ...place, now: permissions });
const destroy = fc.record({ op: fc.constant('destroy' as const), vmar });
const command = fc.oneof(
  { weight: 3, arbitrary: allocate },
  { weight: 8, arbitrary: map },
  { weight: 3, arbitrary: unmap },
  { weight: 9, arbitrary: protect },
  { weight: 1, arbitrary: destroy },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** A kernel and a model that are told the same. */
class Pair {
  readonly model = new PageModel(PAGES);
  readonly h: Harness;
  private readonly handles: number[];
  private readonly base: number;
  readonly vmo: number;
  private readonly out: number;

  constructor(mode: 'owned' | 'immer' = 'owned') {
    this.h = new Harness({}, mode);
    const options = CAN_MAP_RWX | VmOption.CAN_MAP_SPECIFIC | VmOption.SPECIFIC;
    const { vmar: handle, address } = newVmar(this.h, options, OFFSET, PAGES * PAGE);
    this.handles = [handle];
    this.base = address;
    this.vmo = newVmo(this.h, VMO_PAGES * PAGE);
    this.out = this.h.scratch(16);
  }

  private options({ how, alignment }: Wish): number {
    return HOW[how] + (alignment === 1 ? 0 : (12 + Math.log2(alignment)) * 2 ** VM_ALIGN_SHIFT);
  }

  /** Mostly one that is alive. The first holds all the others, so it is never meant by `destroy`. */
  private chosen({ vmar: choice, op }: Command): { target: ModelVmar; handle: number } | null {
    const { vmars } = this.model;
    const from = op === 'destroy' ? 1 : 0;
    const places = vmars.map((_, i) => i).slice(from);
    const alive = places.filter((i) => vmars[i].alive);
    const among = choice === ANY_VMAR ? places : alive;
    if (among.length === 0) return null;
    const i = among[choice % among.length];
    return { target: vmars[i], handle: this.handles[i] };
  }

  /** Answers of the kernel and of the model, with the page that was chosen. */
  run(c: Command): [kernel: string, model: string] {
    const chosen = this.chosen(c);
    if (chosen === null) return ['', ''];
    const { target, handle } = chosen;
    const { h, model, base } = this;
    const basePage = base / PAGE;
    const given = (result: ReturnType<Harness['call']>, where: number): string =>
      result === 0n ? `OK ${(Number(h.u64(where)) - base) / PAGE}` : statusName(result);
    const told = ({ status, page: first }: { status: string; page?: number }): string =>
      status === 'OK' ? `OK ${first}` : status;
    // Handles as they come have the rights that their VMAR has capabilities.
    const rights = target.can.replace('s', '');
    switch (c.op) {
      case 'allocate': {
        const { wish: w, can } = c;
        const options =
          this.options(w) +
          bits(can, VmOption.CAN_MAP_READ) +
          (can.includes('s') ? VmOption.CAN_MAP_SPECIFIC : 0);
        const { out } = this;
        const args = [handle, options, w.at * PAGE, w.count * PAGE, out, out + 8];
        const denied = [...can.replace('s', '')].some((letter) => !rights.includes(letter));
        const answer = given(h.call('zx_vmar_allocate', args), out + 8);
        if (answer.startsWith('OK')) this.handles.push(h.u32(out));
        return [answer, denied ? 'ERR_ACCESS_DENIED' : told(model.allocate(target, w, can, basePage))];
      }
      case 'map': {
        const { wish: w, now, vmoRights, vmoPage, faults } = c;
        const vmo = withRights(h, this.vmo, Right.MAP + bits(vmoRights, Right.READ));
        const options =
          this.options(w) + bits(now, VmOption.PERM_READ) + (faults ? VmOption.ALLOW_FAULTS : 0);
        // The last page may be named by any of its bytes.
        const len = w.count === 0 ? 0 : w.count * PAGE - (w.at % 3);
        const args = [handle, options, w.at * PAGE, vmo, vmoPage * PAGE, len, this.out];
        const answer = given(h.call('zx_vmar_map', args), this.out);
        h.call('zx_handle_close', [vmo]);
        const limit = [...LETTERS].filter((x) => vmoRights.includes(x) && rights.includes(x)).join('');
        const what = { vmo: koidOf(h, this.vmo), vmoPage, now, limit };
        return [answer, told(model.map(target, w, basePage, what, { pages: VMO_PAGES, faults }))];
      }
      case 'unmap': {
        const first = placeIn(target, c.first);
        const used = this.limited(handle, rights, c.children);
        const result = h.call('zx_vmar_unmap', [used, base + first * PAGE, c.count * PAGE]);
        return [statusName(result), model.unmap(target, first, c.count, c.children)];
      }
      case 'protect': {
        const first = placeIn(target, c.first);
        const used = this.limited(handle, rights, c.children);
        const options = bits(c.now, VmOption.PERM_READ);
        const result = h.call('zx_vmar_protect', [used, options, base + first * PAGE, c.count * PAGE]);
        return [statusName(result), model.protect(target, first, c.count, c.now, rights, c.children)];
      }
      case 'destroy':
        return [statusName(h.call('zx_vmar_destroy', [handle])), model.destroy(target)];
    }
  }

  private limited(handle: number, rights: string, children: boolean): number {
    return withRights(this.h, handle, bits(rights, Right.READ) + (children ? Right.OP_CHILDREN : 0));
  }

  /** What every page shows: VMO page and permissions. */
  kernelPages(): string[] {
    return Array.from({ length: PAGES }, (_, i) => {
      const address = this.base + i * PAGE;
      const mapping = findMapping(this.h.k, this.h.rootVmar, address);
      if (mapping === undefined) return '-';
      const vmoPage = (mapping.vmoOffset + address - mapping.base) / PAGE;
      return `${vmoPage} ${mapping.permissions} ${mapping.maxPermissions}`;
    });
  }

  modelPages(): string[] {
    const text = (letters: string): number => bits(letters, 1);
    return this.model.cells.map((cell) =>
      cell === null ? '-' : `${cell.vmoPage} ${text(cell.now)} ${text(cell.limit)}`,
    );
  }

  /** Regions lie in their VMAR, apart from each other, under the right key; gives how many there are below. */
  countRegions(vmarState: VmarState = vmarOf(this.h, this.handles[0])): number {
    let count = 0;
    let end = vmarState.base;
    for (const [key, region] of vmarState.regions) {
      if (key * PAGE !== region.base || region.base < end || region.sizeBytes <= 0)
        throw new Error('overlap');
      end = region.base + region.sizeBytes;
      count += region.kind === 'vmar' ? 1 + this.countRegions(this.h.k.get(region.koid, 'vmar')) : 1;
    }
    if (end > vmarState.base + vmarState.sizeBytes) throw new Error('outside');
    return count;
  }

  mappingsOfVmo(): number {
    let count = 0;
    for (const object of this.h.k.state.objects.values()) {
      if (object.kind !== 'vmar') continue;
      for (const r of object.regions.values())
        if (r.kind === 'mapping' && r.vmo === koidOf(this.h, this.vmo)) count++;
    }
    return count;
  }
}

testProp(
  'VMARs are what a list of pages says',
  [fc.array(command, { minLength: 10, maxLength: 60, size: 'max' })],
  (t: ExecutionContext, commands) => {
    const pair = new Pair();
    const outside = pair.h.k.state.regions;
    for (const c of commands) {
      const [kernel, model] = pair.run(c);
      t.is(kernel, model, JSON.stringify(c));
      t.deepEqual(pair.kernelPages(), pair.modelPages(), JSON.stringify(c));
      // What is remembered of maps that cannot change any more must not outlast them.
      if (c.vmar % 2 === 0) pair.h.k.snapshot();
    }
    t.is(pair.h.k.state.regions, outside + pair.countRegions());
    t.is(pair.h.k.get(koidOf(pair.h, pair.vmo), 'vmo').mappings, pair.mappingsOfVmo());
  },
  { numRuns: 400 },
);

testProp(
  'VMARs: drafts and owned copies come to the same state',
  [fc.array(command, { minLength: 10, maxLength: 40, size: 'max' })],
  (t: ExecutionContext, commands) => {
    const owned = new Pair('owned');
    const immer = new Pair('immer');
    for (const c of commands) {
      owned.run(c);
      immer.run(c);
    }
    t.is(owned.h.hash(), immer.h.hash());
  },
  { numRuns: 60 },
);
