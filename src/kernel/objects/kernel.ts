import { produce, setAutoFreeze } from 'immer';
import type { Vintage } from '../../abi/vintage.js';
import { AssertionError, assert } from '../../base/assert.js';
import { IntMap, type Owner } from '../../base/int-map.js';
import { type PrngState, seedPrng } from '../../base/prng.js';
import type { Arch, Registers } from '../../cpu/arch.js';
import { copyOf, copyOfShared } from './copies.js';
import type { CoreState, Deadline, Slice } from './core.js';
import { DeadPages, type SnapshotMark } from './dead-pages.js';
import type { KernelObject, Mutable, ObjectKind, ObjectOf } from './object.js';
import { NO_SHARED_STATE, type SharedState } from './shared-state.js';
import type { FoundMapping } from './vmar.js';

// Typed arrays and persistent maps inside objects must stay as they are, and freezing costs on every change.
setAutoFreeze(false);

/** The whole machine as one immutable value. Two of them are the same machine when their state hashes are equal. */
export interface KernelState {
  /** Kernel events so far: the first part of a position. */
  readonly seq: number;
  /** Instructions retired since the last kernel event: the second part. */
  readonly step: number;
  /** Instructions retired by all cores since the machine was made. */
  readonly steps: number;
  /** Virtual time that passed while no thread could run, ns. Time now is `steps + idleNs`. */
  readonly idleNs: bigint;
  readonly objects: IntMap<KernelObject>;
  /** Handle tables and futexes by the koid of the process they were made for. */
  readonly shared: IntMap<SharedState>;
  /** User-visible CPU state by thread koid, for threads that were started. */
  readonly registers: IntMap<Registers>;
  readonly nextKoid: number;
  /** Numbers for observers, deadlines and futex waiters: order of registration. */
  readonly nextOrder: number;
  readonly cores: readonly CoreState[];
  /** Threads that could run but have no core, in order. */
  readonly runQueue: readonly number[];
  /** What the scheduler chose last, while it lasts. */
  readonly slice: Slice | null;
  /** Sorted by time, then by order of registration. */
  readonly deadlines: readonly Deadline[];
  /** Random numbers drawn by cprng_draw so far are a function of this: four words. */
  readonly entropy: readonly [number, number, number, number];
  /** As `entropy`, of the addresses that the kernel chose at random. */
  readonly addressEntropy: PrngState;
  /** 4 KiB pages held by VMOs; shared pages count once for each VMO. */
  readonly committedPages: number;
  /** Runs of zeros that pagers have to learn of, in all VMOs: each costs the host memory. */
  readonly zeroRuns: number;
  /** What messages, packets and asynchronous waits take, bytes, with a flat charge for each. */
  readonly messageBytes: number;
  /** Handles in the tables of all processes. */
  readonly handles: number;
  /** Mappings and VMARs in all address spaces. */
  readonly regions: number;
  /** Exceptions that handlers let go of, in order; empty between commands. */
  readonly answered: readonly number[];
  /** The events of zx_system_get_event that somebody asked for: koid by ZX_SYSTEM_EVENT_*. */
  readonly systemEvents: IntMap<number>;
  readonly rootJob: number;
  /** The process whose end ends the run; 0 until it is made. */
  readonly mainProcess: number;
  /** Set once: why the run is over. */
  readonly halt: Halt | null;
}

export type Halt =
  | { readonly kind: 'exited'; readonly returnCode: bigint }
  | { readonly kind: 'deadlock' }
  | { readonly kind: 'step-limit' };

/** Constants of one machine: the recording's header holds them. */
export interface MachineConfig {
  readonly cores: number;
  /** Seeds handle values, cprng and stack canaries; the schedule has a seed of its own. */
  readonly entropySeed: number;
  /** Pages that VMOs may hold; a store that needs one more faults. */
  readonly physicalPages: number;
  readonly vintage: Vintage;
  /** Whether addresses that programs leave to the kernel are random; else each is the lowest that will do. */
  readonly aslr: boolean;
}

/** The random addresses of a machine before the first is drawn. */
export function addressEntropy(entropySeed: number): PrngState {
  return seedPrng(entropySeed, 'addresses');
}

/** Entries of a `Recent`, a power of 2, and the bits of a koid that are its place. */
const RECENT = 64;
const PLACE_BITS = RECENT - 1;

/**
 * What was found lately in a map by koid, and whether the cursor owns it: a call asks for the same few objects a dozen
 * times.
 */
class Recent<V> {
  readonly koids: number[] = Array(RECENT).fill(-1);
  readonly values: (V | undefined)[] = Array(RECENT).fill(undefined);
  /** The age that its value was owned in. */
  readonly owned: number[] = Array(RECENT).fill(-1);
  age = 0;

  get(koid: number): V | undefined {
    const place = koid & PLACE_BITS;
    return this.koids[place] === koid ? this.values[place] : undefined;
  }

  /** As `get`, of what the cursor owns. */
  getOwned(koid: number): V | undefined {
    const place = koid & PLACE_BITS;
    return this.koids[place] === koid && this.owned[place] === this.age ? this.values[place] : undefined;
  }

  set(koid: number, value: V, owned: boolean): void {
    const place = koid & PLACE_BITS;
    this.koids[place] = koid;
    this.values[place] = value;
    this.owned[place] = owned ? this.age : -1;
  }

  delete(koid: number): void {
    const place = koid & PLACE_BITS;
    if (this.koids[place] !== koid) return;
    this.koids[place] = -1;
    this.values[place] = undefined;
  }

  disown(): void {
    this.age++;
  }

  clear(): void {
    this.koids.fill(-1);
    this.values.fill(undefined);
    this.disown();
  }
}

/**
 * A cursor over states: what reducers change. Between two snapshots it owns what it made and changes it in place;
 * `snapshot` gives the value away and owns nothing from then on. With `draft: 'immer'` every change goes through an
 * immer draft instead: slower, nothing in place, the same result (a property test holds both to that).
 */
export class Kernel {
  readonly state: Mutable<KernelState>;
  /** What was made under this token may be changed in place. */
  owner: Owner;
  readonly deadPages = new DeadPages();
  /** Goes up when a page that somebody may have cached is no longer the one to use. */
  memoryGeneration = 0;
  /** Goes up when addresses may lie in another mapping than before. */
  mappingGeneration = 0;
  /** Goes up when pages that could be written in place must be copied first, as a snapshot has them now. */
  get epoch(): number {
    return this.deadPages.epoch;
  }
  /** What `findMapping` found lately: every copy to and from a program asks for a few pages over and over. */
  readonly foundMappings: (FoundMapping | undefined)[] = [];
  private readonly recentObjects = new Recent<KernelObject>();
  private readonly recentShared = new Recent<SharedState>();
  private readonly recentRegisters = new Recent<Registers>();
  /** Whether what it owns is changed as it is. */
  private readonly inPlace: boolean;
  private readonly ownedObjects = new Set<number>();
  private readonly ownedShared = new Set<number>();
  private readonly ownedRegisters = new Set<number>();

  constructor(
    state: KernelState,
    readonly config: MachineConfig,
    readonly arch: Arch,
    draft: 'owned' | 'immer' = 'owned',
  ) {
    this.inPlace = draft === 'owned';
    this.state = { ...state };
    this.owner = this.deadPages.newEpoch();
    // V8 takes fields that were assigned once for constants, and throws code away when they change.
    this.newEpoch();
  }

  /** The state now, as a value that will not change. Costs nothing now; later first writes copy again. */
  snapshot(): KernelState {
    this.deadPages.keep();
    this.newEpoch();
    return { ...this.state };
  }

  /** As `snapshot`, with what to release it by once nobody looks at it any more. */
  snapshotToRelease(): { readonly state: KernelState; readonly mark: SnapshotMark } {
    const mark = this.deadPages.mark();
    this.newEpoch();
    return { state: { ...this.state }, mark };
  }

  /** Makes this cursor go on from another state of the same machine. */
  restore(state: KernelState): void {
    this.deadPages.forget();
    this.newEpoch();
    this.mappingsChanged();
    Object.assign(this.state, state);
    this.recentObjects.clear();
    this.recentShared.clear();
    this.recentRegisters.clear();
  }

  /** Gives up ownership of everything made so far, so that it may be shared. */
  newEpoch(): void {
    this.owner = this.deadPages.newEpoch();
    this.ownedObjects.clear();
    this.ownedShared.clear();
    this.ownedRegisters.clear();
    this.recentObjects.disown();
    this.recentShared.disown();
    this.recentRegisters.disown();
  }

  mappingsChanged(): void {
    this.mappingGeneration++;
    this.memoryGeneration++;
  }

  get nowNs(): bigint {
    return BigInt(this.state.steps) + this.state.idleNs;
  }

  find(koid: number): KernelObject | undefined {
    // As `Recent.get`, here and in `get` and `update`, without the call: no others are made as often.
    const { koids, values } = this.recentObjects;
    const place = koid & PLACE_BITS;
    return koids[place] === koid ? values[place] : this.lookUp(koid);
  }

  private lookUp(koid: number): KernelObject | undefined {
    const object = this.state.objects.get(koid);
    if (object !== undefined)
      this.recentObjects.set(koid, object, this.inPlace && this.ownedObjects.has(koid));
    return object;
  }

  private setObject(koid: number, object: KernelObject): void {
    this.state.objects = this.state.objects.set(koid, object, this.owner);
    this.ownedObjects.add(koid);
    this.recentObjects.set(koid, object, this.inPlace);
  }

  /** The object, which must exist and be of that kind: events and deciders name only objects that do. */
  get<K extends ObjectKind>(koid: number, kind: K): ObjectOf<K> {
    const { koids, values } = this.recentObjects;
    const place = koid & PLACE_BITS;
    const object = koids[place] === koid ? values[place] : this.lookUp(koid);
    // The text is made only when it is needed: this is asked a dozen times a call.
    if (object === undefined || object.kind !== kind)
      throw new AssertionError(`no ${kind} with koid ${koid}`);
    return object as ObjectOf<K>;
  }

  create(object: KernelObject): void {
    assert(object.koid === this.state.nextKoid, 'koid out of turn');
    this.state.nextKoid = object.koid + 1;
    // As a copy from the start: code then meets one hidden class.
    this.setObject(object.koid, copyOf(object));
  }

  /** Runs a recipe on one object. It may assign fields, nothing deeper. */
  update<K extends ObjectKind>(koid: number, kind: K, recipe: (draft: Mutable<ObjectOf<K>>) => void): void {
    // Most were changed before since the last snapshot.
    const { koids, values, owned, age } = this.recentObjects;
    const place = koid & PLACE_BITS;
    const object = koids[place] === koid && owned[place] === age ? values[place] : undefined;
    if (object?.kind === kind) recipe(object as Mutable<ObjectOf<K>>);
    else this.change(koid, this.get(koid, kind), recipe as (draft: Mutable<KernelObject>) => void);
  }

  /** As `update`, for fields that all kinds have. */
  updateAny(koid: number, recipe: (draft: Mutable<KernelObject>) => void): void {
    const object = this.find(koid);
    if (object === undefined) throw new AssertionError(`no object with koid ${koid}`);
    this.change(koid, object, recipe);
  }

  private change(koid: number, object: KernelObject, recipe: (draft: Mutable<KernelObject>) => void): void {
    if (!this.inPlace) {
      const changed = produce(object, recipe as (draft: unknown) => void) as KernelObject;
      this.state.objects = this.state.objects.set(koid, changed);
      this.recentObjects.set(koid, changed, false);
      return;
    }
    if (this.ownedObjects.has(koid)) {
      recipe(object as Mutable<KernelObject>);
      return;
    }
    const copy = copyOf(object);
    recipe(copy as Mutable<KernelObject>);
    this.setObject(koid, copy);
  }

  remove(koid: number): void {
    this.state.objects = this.state.objects.delete(koid, this.owner);
    this.ownedObjects.delete(koid);
    this.recentObjects.delete(koid);
  }

  /**
   * What a process shares with others, or has for itself; empty after the death of the last of them. A process may be
   * gone in the middle of its own call: a handle that it closed was all that kept a critical process from its end.
   */
  sharedBy(process: number): SharedState {
    const object = this.find(process);
    if (object?.kind !== 'process') return NO_SHARED_STATE;
    return this.recentShared.get(object.shared) ?? this.lookUpShared(object.shared) ?? NO_SHARED_STATE;
  }

  private lookUpShared(id: number): SharedState | undefined {
    const state = this.state.shared.get(id);
    if (state !== undefined) this.recentShared.set(id, state, this.inPlace && this.ownedShared.has(id));
    return state;
  }

  setShared(id: number, state: SharedState): void {
    this.state.shared = this.state.shared.set(id, state, this.owner);
    this.ownedShared.add(id);
    this.recentShared.set(id, state, this.inPlace);
  }

  removeShared(id: number): void {
    this.state.shared = this.state.shared.delete(id, this.owner);
    this.ownedShared.delete(id);
    this.recentShared.delete(id);
  }

  /** As `update`, for the state of this name. */
  updateShared(id: number, recipe: (draft: Mutable<SharedState>) => void): void {
    const owned = this.recentShared.getOwned(id);
    if (owned !== undefined) {
      recipe(owned);
      return;
    }
    const state = this.lookUpShared(id);
    if (state === undefined) throw new AssertionError(`no shared state ${id}`);
    if (!this.inPlace) {
      this.setShared(id, produce(state, recipe));
      return;
    }
    const isOwned = this.ownedShared.has(id);
    const changed: Mutable<SharedState> = isOwned ? state : copyOfShared(state);
    recipe(changed);
    if (!isOwned) this.setShared(id, changed);
  }

  registers(thread: number): Registers {
    const recent = this.recentRegisters.get(thread);
    if (recent !== undefined) return recent;
    const registers = this.state.registers.get(thread);
    if (registers === undefined) throw new AssertionError(`thread ${thread} has no registers`);
    this.recentRegisters.set(thread, registers, this.ownedRegisters.has(thread));
    return registers;
  }

  /** The registers of a thread, to change in place. */
  registersForWrite(thread: number): Registers {
    const owned = this.recentRegisters.getOwned(thread);
    if (owned !== undefined) return owned;
    const registers = this.registers(thread);
    if (this.ownedRegisters.has(thread)) return registers;
    const copy = registers.copy();
    this.setRegisters(thread, copy);
    return copy;
  }

  setRegisters(thread: number, registers: Registers): void {
    this.state.registers = this.state.registers.set(thread, registers, this.owner);
    this.ownedRegisters.add(thread);
    this.recentRegisters.set(thread, registers, true);
  }

  removeRegisters(thread: number): void {
    this.state.registers = this.state.registers.delete(thread, this.owner);
    this.ownedRegisters.delete(thread);
    this.recentRegisters.delete(thread);
  }

  takeOrder(): number {
    return this.state.nextOrder++;
  }
}

/** A machine with a root job and nothing else. */
export function emptyState(
  config: MachineConfig,
  entropy: readonly [number, number, number, number],
): KernelState {
  return {
    seq: 0,
    step: 0,
    steps: 0,
    idleNs: 0n,
    objects: IntMap.empty(),
    shared: IntMap.empty(),
    registers: IntMap.empty(),
    nextKoid: 1024,
    nextOrder: 1,
    cores: Array.from({ length: config.cores }, () => ({ thread: 0, quantumSteps: 0 })),
    runQueue: [],
    slice: null,
    deadlines: [],
    entropy,
    addressEntropy: addressEntropy(config.entropySeed),
    committedPages: 0,
    zeroRuns: 0,
    messageBytes: 0,
    handles: 0,
    regions: 0,
    answered: [],
    systemEvents: IntMap.empty(),
    rootJob: 0,
    mainProcess: 0,
    halt: null,
  };
}
