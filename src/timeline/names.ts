import { rootVmarsOf } from '../kernel/objects/address-space.js';
import type { KernelEvent } from '../kernel/objects/events.js';
import type { Kernel } from '../kernel/objects/kernel.js';
import { mappingsBetween, type VmarState } from '../kernel/objects/vmar.js';
import type { Program } from '../loader/bootstrap.js';
import { backtrace, describeWait, symbolizerFor } from '../loader/crash-report.js';
import { imageSpan } from '../loader/segments.js';
import { loadedModule, type Module, Symbolizer } from '../loader/symbols.js';
import type { Frame } from '../loader/unwind.js';
import { PAGE_SIZE } from '../memory/page.js';
import { amountText, hex64, hexBytes, INTEGER_SIZES, integerOf, printable } from './text.js';

const MAX_USER_ADDRESS = 2n ** 47n;
const POINTER_BYTES = 8;
/** As much of a text in memory is told as one. */
const MAX_TEXT_BYTES = 256;
/** Names of tasks that are no more, kept so that late events still tell them. */
const MAX_REMEMBERED = 4096;

/** What addresses and tasks of a run are called, at the position its machine stands at. */
export class Names {
  private known: Symbolizer | null = null;
  private readonly others = new Map<number, Symbolizer>();
  private readonly remembered = new Map<number, { readonly name: string; readonly process: number }>();

  constructor(
    private readonly k: Kernel,
    private readonly program: Program,
  ) {}

  /** Made when it is asked for first: a symbol table may be large. */
  private get main(): Symbolizer {
    this.known ??= symbolizerFor(this.program, this.k.config);
    return this.known;
  }

  /** To be told of events that go by: an address space may have changed. */
  note(event: KernelEvent): void {
    if (event.type === 'mapping-added' || event.type === 'mapping-removed') this.others.clear();
  }

  /** The modules of a process: the program and the vDSO, where they are mapped. */
  symbolizer(process: number): Symbolizer {
    if (process === this.k.state.mainProcess || process === 0) return this.main;
    let found = this.others.get(process);
    if (found === undefined) {
      found = new Symbolizer(this.modulesOf(process));
      this.others.set(process, found);
    }
    return found;
  }

  /** A process that a guest started maps whole files: their first pages tell which. */
  private modulesOf(process: number): Module[] {
    const { k } = this;
    const owner = k.find(process);
    if (owner?.kind !== 'process') return [];
    const modules: Module[] = [];
    for (const koid of rootVmarsOf(owner)) {
      const root = k.find(koid);
      if (root?.kind === 'vmar') this.addModulesIn(root, modules);
    }
    return modules;
  }

  private addModulesIn(root: VmarState, modules: Module[]): void {
    const { k } = this;
    for (const { mapping } of mappingsBetween(k, root, root.base, root.base + root.sizeBytes)) {
      const page = mapping.vmoOffset === 0 ? k.get(mapping.vmo, 'vmo').pages.get(0) : undefined;
      if (page === undefined) continue;
      const file = this.main.modules.find(({ elf }) =>
        startsWith(page.bytes, elf.bytes.subarray(0, PAGE_SIZE)),
      );
      if (file === undefined || modules.some(({ elf }) => elf === file.elf)) continue;
      modules.push(loadedModule(file.name, file.elf, mapping.base - imageSpan(file.elf).address));
    }
  }

  /** `function+0x12`, `variable`, else `module+0x1234`, else `0x1234`. */
  address(process: number, address: number | bigint): string {
    if (typeof address === 'bigint') {
      if (address >= MAX_USER_ADDRESS) return `0x${address.toString(16)}`;
      return this.address(process, Number(address));
    }
    return printable(this.symbolizer(process).describe(address)).replace(/\+0x0$/, '');
  }

  /** As `address`, but null where no symbol or module names it. */
  symbol(process: number, address: number | bigint): string | null {
    const text = this.address(process, address);
    return text.startsWith('0x') ? null : text;
  }

  /**
   * Bytes in a process's memory as a person would say them: a pointer with what it points to, a number, a text in
   * quotes, else the bytes.
   */
  value(process: number, bytes: Uint8Array): string {
    if (!INTEGER_SIZES.includes(bytes.length)) {
      const text = /^[\x20-\x7e\n]+(?=\0*$)/.exec(
        String.fromCharCode(...bytes.subarray(0, MAX_TEXT_BYTES)),
      )?.[0];
      return text === undefined || text.length < 2 ? hexBytes(bytes) : JSON.stringify(text);
    }
    const value = integerOf(bytes);
    const place = bytes.length < POINTER_BYTES ? null : this.placeOf(process, value);
    return place === null ? amountText(value, bytes.length) : `${hex64(value)} (${place})`;
  }

  /** What a pointer points to, if that has a name. */
  private placeOf(process: number, value: bigint): string | null {
    if (value >= MAX_USER_ADDRESS) return null;
    const named = this.symbolizer(process).resolve(Number(value)) !== null;
    return named ? this.address(process, value) : null;
  }

  /** A symbol of the program or the vDSO, as it stands in a process. */
  find(process: number, name: string): { readonly address: number; readonly sizeBytes: number } | null {
    for (const { elf, bias } of this.symbolizer(process).modules) {
      const symbol = elf.symbols.find(name);
      if (symbol !== undefined) return { address: symbol.address + bias, sizeBytes: symbol.sizeBytes };
    }
    return null;
  }

  /** `name[koid]`. */
  task(koid: number): string {
    return `${this.nameOf(koid)}[${koid}]`;
  }

  /** The name of a process, thread, job or VMO; that of a task also after its end, if it was asked for before. */
  nameOf(koid: number): string {
    const object = this.k.find(koid);
    if (object === undefined || !('name' in object)) return this.remembered.get(koid)?.name ?? '';
    const name = printable(object.name);
    if (object.kind === 'thread') this.remember(koid, name, object.process);
    if (object.kind === 'process') this.remember(koid, name, koid);
    return name;
  }

  /** The process of a thread; 0 when that is not known. */
  processOf(thread: number): number {
    const object = this.k.find(thread);
    if (object?.kind !== 'thread') return this.remembered.get(thread)?.process ?? 0;
    this.remember(thread, printable(object.name), object.process);
    return object.process;
  }

  private remember(koid: number, name: string, process: number): void {
    if (this.remembered.get(koid)?.name === name) return;
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(koid, { name, process });
  }

  /** The calls a thread is in, innermost first. */
  backtrace(thread: number): Frame[] {
    return backtrace(this.k, thread, this.symbolizer(this.processOf(thread)));
  }

  /** What a blocked thread waits for; null when it does not. */
  wait(thread: number): string | null {
    const object = this.k.find(thread);
    if (object?.kind !== 'thread' || object.wait === null) return null;
    return describeWait(this.k, object.process, object.wait, this.symbolizer(object.process));
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => byte === bytes[i]);
}
