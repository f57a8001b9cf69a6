import { LEAF_KEYS } from '../../base/int-map.js';
import { prepared } from '../../base/prepared.js';
import { FunctionCode, ModuleBuilder } from '../../cpu/wasm/code.js';
import { createMemory, instantiate } from '../../cpu/wasm/web-assembly.js';
import { PAGE_SHIFT, PAGE_SIZE, Page } from '../../memory/page.js';
import { MAX_DELTA_BYTES, wordsOf, writeDelta } from './page-delta.js';

/** Pages that are told at a time. */
const TOGETHER = LEAF_KEYS;
export const DIGEST_BYTES = 16;
/** Differences of so many bytes or more are no use: the page is told from zeros. */
const LONG_DELTA_BYTES = PAGE_SIZE / 2;
const PAGE_WORDS = PAGE_SIZE / 4;
const GROUP_BYTES = 128;
const VECTOR_BYTES = 16;
/** Of words, behind VECTOR_PREFIX. */
const VECTOR = { load: 0x00, notEqual: 0x38, bits: 0xa4 } as const;
const VECTOR_PREFIX = 0xfd;

/** Addresses: by page, where it has ended, whether it is told by another one, and its digest; then the pages. */
const ENDS = 0;
const BASED = ENDS + 4 * TOGETHER;
const DIGESTS = BASED + 4 * TOGETHER;
const ZEROS = PAGE_SIZE;
const PAGES = ZEROS + PAGE_SIZE;
const OTHERS = PAGES + TOGETHER * PAGE_SIZE;
const TOLD = OTHERS + TOGETHER * PAGE_SIZE;
const MEMORY_BYTES = 7 << 16;

/** Tells pages by others, as `writeDelta`: by WebAssembly, since checkpoints have thousands. */
export class DeltaWriter {
  private readonly memory = createMemory(MEMORY_BYTES);
  private readonly words = new Int32Array(this.memory.buffer);
  private readonly bytes = new Uint8Array(this.memory.buffer);
  /** Null where the host has no vectors. */
  private readonly code = this.makeCode();
  /** Of those that were told last, where each has ended, bytes. */
  readonly ends = new Int32Array(this.memory.buffer, ENDS, TOGETHER);
  /** 1 for those that are told by other pages, 0 for those that are by zeros. */
  readonly based = new Int32Array(this.memory.buffer, BASED, TOGETHER);

  /**
   * Of each page its digest, and what it differs in from another one or from zeros, one behind the other.
   * @param pages LEAF_KEYS at most, and not none; their digests are known or may be made
   * @param others null for zeros
   * @returns the bytes, until more are told
   */
  tell(pages: readonly Page[], others: readonly (Page | null)[]): Uint8Array {
    const { words, based, ends } = this;
    Page.putDigests(pages, words, DIGESTS / 4, DIGEST_BYTES / 4);
    for (let i = 0; i < pages.length; i++) {
      const other = others[i];
      words.set(pages[i].words(), PAGES / 4 + i * PAGE_WORDS);
      if (other !== null) words.set(other.words(), OTHERS / 4 + i * PAGE_WORDS);
      based[i] = other === null ? 0 : 1;
    }
    if (this.code === null) this.tellByWords(pages.length);
    else this.code(pages.length);
    return this.bytes.subarray(TOLD, TOLD + ends[pages.length - 1]);
  }

  private makeCode(): ((count: number) => void) | null {
    try {
      const { exports } = instantiate(prepared('differences of pages', moduleCode), {
        env: { memory: this.memory },
      });
      return exports.tell as (count: number) => void;
    } catch {
      return null;
    }
  }

  /** What the code does. */
  private tellByWords(count: number): void {
    const { words, bytes, based, ends } = this;
    const pageAt = (address: number) => words.subarray(address / 4, address / 4 + PAGE_WORDS);
    for (let i = 0, at = TOLD; i < count; i++) {
      bytes.copyWithin(at, DIGESTS + i * DIGEST_BYTES, DIGESTS + (i + 1) * DIGEST_BYTES);
      at += DIGEST_BYTES;
      const to = wordsOf(bytes.subarray(at, at + MAX_DELTA_BYTES));
      const page = pageAt(PAGES + i * PAGE_SIZE);
      let length = LONG_DELTA_BYTES;
      if (based[i] !== 0) length = writeDelta(page, pageAt(OTHERS + i * PAGE_SIZE), to);
      if (length >= LONG_DELTA_BYTES) {
        based[i] = 0;
        length = writeDelta(page, pageAt(ZEROS), to);
      }
      at += length;
      ends[i] = at - TOLD;
    }
  }
}

function moduleCode(): Uint8Array {
  const module = new ModuleBuilder(MEMORY_BYTES);
  const writer = module.add(deltaCode());
  module.export('tell', module.add(tellCode(writer)));
  return module.result();
}

/**
 * `writeDelta` of a page and another one, both by their addresses; gives where it ends. Words are compared by vectors of
 * four.
 */
function deltaCode(): FunctionCode {
  const code = new FunctionCode({ params: ['i32', 'i32', 'i32'], results: ['i32'] });
  const [page, other, start] = [0, 1, 2];
  const [at, map, groups, group, word] = Array.from({ length: 5 }, () => code.local('i32'));
  const add = (local: number, bytes: number) => code.get(local).i32(bytes).op('i32.add').set(local);
  const wordOf = (of: number) => code.get(of).get(word).op('i32.add').access('i32.load', 0);
  const vector = (name: keyof typeof VECTOR) => code.byte(VECTOR_PREFIX).u32(VECTOR[name]);
  const vectorOf = (of: number, offset: number) => {
    code.get(of);
    vector('load').byte(0).u32(offset);
  };
  code.get(start).i32(4).op('i32.add').set(at);
  code.loop().i32(0);
  for (let offset = 0; offset < GROUP_BYTES; offset += VECTOR_BYTES) {
    vectorOf(page, offset);
    vectorOf(other, offset);
    vector('notEqual');
    vector('bits')
      .i32(offset / 4)
      .op('i32.shl')
      .op('i32.or');
  }
  code.tee(map).if();
  code.get(at).get(map).access('i32.store', 0);
  code.i32(1).get(group).op('i32.shl').get(groups).op('i32.or').set(groups);
  code.loop();
  add(at, 4);
  code.get(map).op('i32.ctz').i32(2).op('i32.shl').set(word).get(at);
  wordOf(page);
  wordOf(other).op('i32.xor').access('i32.store', 0);
  code.get(map).get(map).i32(1).op('i32.sub').op('i32.and').tee(map).brIf(0).op('end');
  add(at, 4);
  code.op('end');
  add(page, GROUP_BYTES);
  add(other, GROUP_BYTES);
  code
    .get(group)
    .i32(1)
    .op('i32.add')
    .tee(group)
    .i32(PAGE_SIZE / GROUP_BYTES)
    .op('i32.lt_u')
    .brIf(0)
    .op('end');
  code.get(start).get(groups).access('i32.store', 0);
  code.get(at);
  return code;
}

function tellCode(writer: number): FunctionCode {
  const code = new FunctionCode({ params: ['i32'], results: [] });
  const [count] = [0];
  const [i, at, end] = [0, 1, 2].map(() => code.local('i32'));
  const scaled = (shift: number) => code.get(i).i32(shift).op('i32.shl');
  const placeOf = (start: number) => scaled(PAGE_SHIFT).i32(start).op('i32.add');
  code.i32(TOLD).set(at).block().loop();
  code.get(i).get(count).op('i32.eq').brIf(1);
  for (let offset = 0; offset < DIGEST_BYTES; offset += 8)
    code
      .get(at)
      .get(i)
      .i32(4)
      .op('i32.shl')
      .access('i64.load', DIGESTS + offset)
      .access('i64.store', offset);
  code.get(at).i32(DIGEST_BYTES).op('i32.add').set(at);
  scaled(2).access('i32.load', BASED).if();
  placeOf(PAGES);
  placeOf(OTHERS).get(at).call(writer).tee(end);
  code.get(at).op('i32.sub').i32(LONG_DELTA_BYTES).op('i32.ge_u').if();
  scaled(2).i32(0).access('i32.store', BASED).op('end').op('end');
  scaled(2).access('i32.load', BASED).op('i32.eqz').if();
  placeOf(PAGES).i32(ZEROS).get(at).call(writer).set(end).op('end');
  code.get(end).set(at);
  scaled(2).get(at).i32(TOLD).op('i32.sub').access('i32.store', ENDS);
  code.get(i).i32(1).op('i32.add').set(i).br(0).op('end').op('end');
  return code;
}
