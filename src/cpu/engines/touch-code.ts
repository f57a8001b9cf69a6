import { PAGE_SIZE } from '../../memory/page.js';
import { FunctionCode, type Signature } from '../wasm/code.js';
import { NO_EXIT, UNRETIRED_BITS, UNRETIRED_MASK } from './exit-stubs.js';
import {
  ADDRESS_MASK,
  CONTROL,
  COPIED,
  COPY_FIRST,
  ENTRY_MASK,
  GROUP,
  GROUP_BITS,
  GROUP_BYTES,
  GROUP_FLAGS,
  GROUP_PAGES,
  GROUPS,
  HALF_MASK,
  LOADS,
  MEMORY_BYTES,
  PAGE_BITS,
  PAGE_MASK,
  ROOMS,
  SLOT,
  STATUS,
  STOPPED_BIT,
  STORES,
  TOUCHED,
  TRANSLATIONS,
  ZEROS,
} from './host-memory.js';
import { atomicSize, registerAddress } from './lowering.js';
import { emitDecodedPage } from './region-index.js';
import { EXTRA, FIRST_CODE, type SlotCodes } from './slot-codes.js';
import type { InterpretedSet } from './slot-lowering.js';

/** Takes and gives what the host gets: without STOPPED_BIT when it need not be asked. */
const SIGNATURE: Signature = { params: ['i32'], results: ['i32'] };
const LEFT = 0;

/** Entries of a group, bytes; an entry's. */
const ENTRY_BYTES = 8;
const GROUP_ENTRIES = GROUP_PAGES * ENTRY_BYTES;

/** An instruction set that says which instructions load and store. */
export interface TouchingSet extends InterpretedSet {
  readonly entries: readonly (InterpretedSet['entries'][number] & {
    readonly effects: { readonly loads: boolean; readonly stores: boolean };
  })[];
}

/**
 * The function that is asked before the host is, where code stopped because a page is not known. One that was never
 * written (`ZEROS`) it touches as the host would; a store's page that a snapshot has (`COPY_FIRST`) it copies first. It
 * notes what it did, and takes what the host set aside for that.
 */
export class TouchCode {
  private readonly code = new FunctionCode(SIGNATURE);
  private readonly pc = this.code.local('i64');
  /** Steps that were charged for and not made. */
  private readonly unretired = this.code.local('i32');
  private readonly address = this.code.local('i64');
  private readonly group = this.code.local('i32');
  /** The page's, in the group. */
  private readonly bit = this.code.local('i32');
  /** Offset of the page's entry. */
  private readonly entry = this.code.local('i32');
  /** Where the page is that is to be copied first; 0 when there is none. */
  private readonly place = this.code.local('i32');

  constructor(
    private readonly isa: TouchingSet,
    private readonly codes: SlotCodes,
  ) {}

  write(): FunctionCode {
    const { code } = this;
    code.i32(0).access('i32.load', CONTROL.status).i32(STATUS.slow).op('i32.ne');
    this.giveUp();
    this.findEntry();
    code.get(this.place).op('i32.eqz').if();
    this.findGroup();
    code.op('end');
    this.findPc();
    // Which instruction it is decides.
    code.block().block().block();
    this.pushInstruction();
    const depths = this.codes.list.map(({ entry }) => {
      const { effects, operations } = this.isa.entries[entry]!;
      const { loads, stores } = effects;
      // The host looks whether those are misaligned.
      if (atomicSize(operations) > 0) return 0;
      if (stores) return 1;
      return loads ? 2 : 0;
    });
    code.brTable([...Array.from({ length: FIRST_CODE }, () => 0), ...depths], 0);
    code.op('end').get(LEFT).op('return').op('end');
    code.get(this.place).if();
    this.copy();
    code.op('else');
    this.store();
    code.op('end');
    this.goOn();
    code.op('end');
    code.get(this.place);
    this.giveUp();
    this.load();
    this.goOn();
    return code.op('unreachable') as FunctionCode;
  }

  /** Leaves it to the host if the condition on the stack holds. */
  private giveUp(): void {
    this.code.if().get(LEFT).op('return').op('end');
  }

  private findEntry(): void {
    const { code, address, entry } = this;
    const place = code.local('i64');
    code.i32(0).access('i64.load', CONTROL.address).tee(address);
    code.op('i32.wrap_i64').i32(9).op('i32.shr_u').i32(ENTRY_MASK).op('i32.and').tee(entry);
    code.access('i64.load', STORES).i64(BigInt(COPY_FIRST)).op('i64.xor');
    this.pushPage();
    code.op('i64.xor').tee(place).op('i32.wrap_i64').i32(0).get(place);
    code.i64(~BigInt(ADDRESS_MASK)).op('i64.and').op('i64.eqz').op('select').set(this.place);
  }

  private findGroup(): void {
    const { code, address, group, bit } = this;
    code.get(address).i64(GROUP_BITS).op('i64.shr_u').op('i32.wrap_i64');
    code
      .i32(GROUPS - 1)
      .op('i32.and')
      .i32(GROUP_BYTES)
      .op('i32.mul')
      .tee(group);
    code
      .access('i64.load', ZEROS + GROUP.number)
      .get(address)
      .i64(GROUP_BITS)
      .op('i64.shr_u')
      .op('i64.ne');
    this.giveUp();
    code.i32(1).get(address).i64(PAGE_BITS).op('i64.shr_u').op('i32.wrap_i64').op('i32.shl').tee(bit);
    code
      .get(group)
      .access('i32.load', ZEROS + GROUP.pages)
      .op('i32.and')
      .op('i32.eqz');
    this.giveUp();
  }

  /** A region's exit says which of its instructions it was (`exit-stubs.ts`). */
  private findPc(): void {
    const { code, pc } = this;
    const exit = code.local('i32');
    code.i32(0).access('i64.load', registerAddress(this.isa.pcSlot)).set(pc);
    code.i32(0).access('i32.load', CONTROL.exit).tee(exit).i32(NO_EXIT).op('i32.ne').if();
    code.get(pc).get(exit).i32(UNRETIRED_BITS).op('i32.shr_s').i32(1).op('i32.shl').op('i64.extend_i32_s');
    code.op('i64.add').set(pc);
    code.get(exit).i32(UNRETIRED_MASK).op('i32.and').set(this.unretired).op('end');
  }

  /** The code of the instruction at pc. */
  private pushInstruction(): void {
    const { code, pc } = this;
    const slot = code.local('i32');
    const chosen = code.local('i32');
    emitDecodedPage(code, pc, slot, () => this.giveUp());
    code.get(pc).op('i32.wrap_i64').i32(HALF_MASK).op('i32.and').i32(3).op('i32.shl').op('i32.add').tee(slot);
    code.access('i32.load16_u', SLOT.code).tee(chosen).i32(EXTRA.region).op('i32.eq').if();
    code.get(slot).access('i32.load16_u', SLOT.heat).set(chosen).op('end').get(chosen);
  }

  /** Its first store since a snapshot has it: that has the copy, in the last of the rooms, and it may be stored to. */
  private copy(): void {
    const { code, entry } = this;
    const room = code.local('i32');
    code.i32(0).access('i32.load', CONTROL.rooms).tee(room).op('i32.eqz');
    this.giveUp();
    this.add(CONTROL.rooms, -4);
    // Not its entry: one that was never written may get that before the host looks.
    code.get(room).i32(1).op('i32.shl');
    this.pushPage();
    code.access('i64.store', COPIED - 8);
    code
      .get(room)
      .access('i32.load', ROOMS - 4)
      .get(this.place)
      .i32(PAGE_SIZE)
      .copyMemory();
    code.get(entry).get(entry).access('i64.load', STORES).i64(BigInt(COPY_FIRST)).op('i64.xor');
    code.access('i64.store', STORES);
  }

  /** Its first store: it gets a place, and is not of those any more that nobody stored to. */
  private store(): void {
    const { code, group, entry } = this;
    const place = code.local('i64');
    code
      .get(group)
      .access('i32.load', ZEROS + GROUP.flags)
      .i32(GROUP_FLAGS.storable)
      .op('i32.and');
    code.op('i32.eqz').i32(0).access('i32.load', CONTROL.unusedCount).op('i32.eqz').op('i32.or');
    this.giveUp();
    this.changeBit(GROUP.pages, 'i32.xor');
    this.changeBit(GROUP.stored, 'i32.or');
    this.pushPage();
    code.i32(0).access('i64.load32_u', CONTROL.unused).op('i64.xor').set(place);
    code.get(entry).get(place).access('i64.store', LOADS);
    code.get(entry).get(place).access('i64.store', STORES);
    this.add(CONTROL.unused, PAGE_SIZE);
    this.add(CONTROL.unusedCount, -1);
    this.note();
  }

  /** The page's, in a word of its group. */
  private changeBit(word: number, op: 'i32.xor' | 'i32.or'): void {
    const { code, group } = this;
    code.get(group).get(group);
    code
      .access('i32.load', ZEROS + word)
      .get(this.bit)
      .op(op);
    code.access('i32.store', ZEROS + word);
  }

  /** Its first load: all of the group come with it, but where others have the place. */
  private load(): void {
    const { code, address, entry } = this;
    const at = code.local('i32');
    const end = code.local('i32');
    const empty = code.local('i64');
    const page = code.local('i64');
    const left = code.local('i32');
    // If that is known, it is something else that cannot be done.
    code.get(entry).access('i64.load', LOADS).get(address).op('i64.xor');
    code.i64(BigInt(MEMORY_BYTES)).op('i64.lt_u');
    this.giveUp();
    code.get(entry);
    this.pushPage();
    code.i32(0).access('i64.load32_u', CONTROL.zeros).op('i64.xor').access('i64.store', LOADS);
    code.get(entry).i32(-GROUP_ENTRIES).op('i32.and').tee(at).i32(GROUP_ENTRIES).op('i32.add').set(end);
    code.i64(0).i64(BigInt(MEMORY_BYTES));
    code
      .get(at)
      .i32((TRANSLATIONS / 2) * ENTRY_BYTES)
      .op('i32.ge_u')
      .op('select')
      .set(empty);
    code
      .get(address)
      .i64(-(1n << GROUP_BITS))
      .op('i64.and')
      .set(page);
    code
      .get(this.group)
      .access('i32.load', ZEROS + GROUP.pages)
      .set(left);
    code.loop();
    code
      .get(at)
      .access('i64.load', LOADS)
      .get(empty)
      .op('i64.eq')
      .get(left)
      .i32(1)
      .op('i32.and')
      .op('i32.and');
    code.if().get(at).get(page).i32(0).access('i64.load32_u', CONTROL.zeros).op('i64.xor');
    code.access('i64.store', LOADS).op('end');
    code.get(left).i32(1).op('i32.shr_u').set(left);
    code.get(page).i64(BigInt(PAGE_SIZE)).op('i64.add').set(page);
    code.get(at).i32(ENTRY_BYTES).op('i32.add').tee(at).get(end).op('i32.ne').brIf(0).op('end');
    this.note();
  }

  private pushPage(): void {
    this.code.get(this.address).i64(PAGE_MASK).op('i64.and');
  }

  private add(place: number, count: number): void {
    this.code.i32(0).i32(0).access('i32.load', place).i32(count).op('i32.add').access('i32.store', place);
  }

  private note(): void {
    const { code, group } = this;
    const flags = code.local('i32');
    code
      .get(group)
      .access('i32.load', ZEROS + GROUP.flags)
      .tee(flags)
      .i32(GROUP_FLAGS.touched)
      .op('i32.and');
    code.op('i32.eqz').if();
    code
      .get(group)
      .get(flags)
      .i32(GROUP_FLAGS.touched)
      .op('i32.or')
      .access('i32.store', ZEROS + GROUP.flags);
    code.i32(0).access('i32.load', CONTROL.touched).get(group).access('i32.store', TOUCHED);
    this.add(CONTROL.touched, 4);
    code.op('end');
  }

  private goOn(): void {
    const { code } = this;
    code.i32(0).get(this.pc).access('i64.store', registerAddress(this.isa.pcSlot));
    code.get(LEFT).i32(~STOPPED_BIT).op('i32.and').get(this.unretired).op('i32.add').op('return');
  }
}
