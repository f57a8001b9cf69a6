import { CLOCK_ARGS_VERSION_SHIFT } from '../../src/abi/clocks.js';
import { ExceptionType } from '../../src/abi/exceptions.js';
import { InfoTopic, Property } from '../../src/abi/info.js';
import { PolicyAction, PolicyCondition, PolicyTopic } from '../../src/abi/policy.js';
import { Right } from '../../src/abi/rights.js';
import { Status } from '../../src/abi/status.js';
import { STRUCT_NAMES, type StructField, type StructName, struct } from '../../src/abi/structs.js';
import type { Syscall, SyscallArg } from '../../src/abi/syscalls.js';
import { PagerOp, VmarOp, VmOption, VmoChildOption, VmoOp, VmoOption } from '../../src/abi/vm.js';
import type { Prng } from '../../src/base/prng.js';
import { handleValue } from '../../src/kernel/objects/handle-value.js';
import type { Kernel } from '../../src/kernel/objects/kernel.js';
import type { HandleEntry } from '../../src/kernel/objects/object.js';
import { SCRATCH } from '../kernel/harness.js';
import { type Region, regionBytes } from '../kernel/object-support.js';

/** What the calls of a test process may use as memory, from SCRATCH on: the size every process has of it. */
export const SCRATCH_BYTES = 0x10000;

const PAGE = 4096n;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const EDGES: readonly bigint[] = [
  ...[7n, 8n, 12n, 15n, 16n, 30n, 31n, 32n, 37n, 38n, 47n, 52n, 53n, 62n, 63n].flatMap((bit) => {
    const power = 1n << bit;
    return [power - 1n, power, power + 1n];
  }),
  U64_MAX,
  U64_MAX - 1n,
  U64_MAX - PAGE,
  -PAGE & U64_MAX,
];

/** Version 1 of the arguments of clock calls. */
const CLOCK_V1 = 1n << CLOCK_ARGS_VERSION_SHIFT;

const IO_FAILED = BigInt.asUintN(64, BigInt(Status.ERR_IO));

const VM_FLAGS = Object.values(VmOption);

/** Values that mean something, by an argument's name, and by call and name where the call decides. */
const MEANT: Readonly<Record<string, readonly (number | bigint)[]>> = {
  topic: Object.values(InfoTopic),
  property: Object.values(Property),
  rights: [
    Right.SAME_RIGHTS,
    Right.SAME_RIGHTS,
    Right.SAME_RIGHTS,
    0,
    0xffff,
    Right.TRANSFER,
    Right.DUPLICATE | 4,
  ],
  signals: [1, 2, 3, 4, 8, 0xc, 0x10, 0x30, 0xff000000, 0x1000000],
  waitfor: [1, 3, 4, 8, 0x30, 0x1000000],
  clear_mask: [0, 8, 0x1000000, 0xff000008],
  set_mask: [0, 8, 0x1000000, 0xff000008],
  key: [0, 0, 1],
  num_bytes: [0, 4, 8, 64, 64, 1000],
  num_handles: [0, 0, 0, 1, 3],
  wr_num_bytes: [4, 8, 64],
  wr_num_handles: [0, 0, 0, 1, 2],
  rd_num_bytes: [0, 64, 64, 1000],
  rd_num_handles: [0, 4, 64],
  clock_id: [0, 1],
  slack: [0, 0, 1000],
  wake_count: [0, 1, 2, 0xffffffff],
  requeue_count: [0, 1, 2, 0xffffffff],
  current_value: [0, 0, 0, 1],
  operation: [0, 1],
  type: [0, 0, 0, 1, 3, 4],
  'zx_vmar_op_range.op': Object.values(VmarOp),
  'zx_vmo_op_range.op': Object.values(VmoOp),
  'zx_vmo_create.options': [0, 0, VmoOption.RESIZABLE, VmoOption.DISCARDABLE, VmoOption.UNBOUNDED],
  'zx_vmo_create_child.options': Object.values(VmoChildOption).flatMap((o) => [
    o,
    o | VmoChildOption.RESIZABLE,
  ]),
  'zx_timer_create.options': [0, 1, 2],
  'zx_object_wait_async.options': [0, 0, 1, 2],
  'zx_channel_read.options': [0, 0, 1],
  'zx_channel_write.options': [0, 0, 0, 2],
  'zx_vmar_map.options': [1, 3, 3, 7, 0x13, 0x33, 0x23, 0x403, 0x1003, 0x2003, 0x14000003],
  'zx_vmar_protect.options': [0, 1, 3, 5],
  'zx_socket_create.options': [0, 1],
  'zx_socket_read.options': [0, 0, 8],
  'zx_socket_set_disposition.disposition': [0, 1, 2],
  'zx_socket_set_disposition.disposition_peer': [0, 1, 2],
  'zx_fifo_create.elem_count': [1, 4, 64],
  'zx_fifo_create.elem_size': [1, 4, 8],
  elem_size: [1, 4, 4, 4, 8],
  'zx_fifo_read.data_size': [1, 2, 4, 100],
  'zx_fifo_write.count': [1, 2, 4],
  'zx_stream_create.options': [3, 3, 7, 1, 2],
  'zx_stream_writev.options': [0, 0, 1],
  'zx_stream_seek.whence': [0, 1, 2],
  num_vectors: [0, 1, 1, 2],
  'zx_clock_create.options': [0, 1, 3, 4, 5, 0x10, 0x15, CLOCK_V1 | 4n],
  'zx_clock_update.options': [1n, 2n, 3n, 4n, 7n, 9n].flatMap((o) => [CLOCK_V1 | o, (2n * CLOCK_V1) | o]),
  'zx_clock_get_details.options': [CLOCK_V1],
  'zx_clock_get_details_mapped.options': [CLOCK_V1],
  rate_adjust: [-1000, -1, 0, 1, 1000],
  'zx_vmar_map_clock.options': [1, 1, 0x401],
  'zx_vmar_map_clock.vmar_offset': [0],
  'zx_vmar_map_clock.len': [4096],
  num_regions: [1, 1, 2],
  region_index: [0, 0, 1],
  'zx_iob_allocate_id.blob_size': [0, 4, 100],
  'zx_vmar_map_iob.options': [1, 3, 3],
  'zx_vmar_map_iob.vmar_offset': [0],
  'zx_vmar_map_iob.region_offset': [0, 0, 4096],
  'zx_vmar_map_iob.region_length': [4096],
  'zx_iob_create_shared_region.size': [4096, 8192, 12288],
  'zx_system_get_event.kind': [1, 2, 3, 4, 5],
  'zx_thread_set_rseq.offset': [0, 32, 4064, 4096],
  'zx_thread_set_rseq.size': [32, 32, 32, 0],
  'zx_pager_create_vmo.options': [0, 0, VmoOption.RESIZABLE, VmoOption.TRAP_DIRTY],
  'zx_pager_op_range.op': Object.values(PagerOp),
  'zx_pager_op_range.data': [0, 0, 1, IO_FAILED],
  'zx_pager_query_vmo_stats.options': [0, 1],
  'zx_pager_query_vmo_stats.buffer_size': [4],
  'zx_pager_query_dirty_ranges.buffer_size': [0, 24, 240],
  'zx_job_set_policy.topic': Object.values(PolicyTopic),
  'zx_job_set_policy.options': [0, 1],
  condition: Object.values(PolicyCondition),
  action: Object.values(PolicyAction),
  'zx_thread_raise_exception.options': [1],
  'zx_thread_raise_exception.type': [ExceptionType.USER],
  'zx_vmar_op_range.size': [4096, 8192],
  'zx_vmar_allocate.offset': [0, 0, 0, 4096],
  'zx_vmar_allocate.options': [0x180, 0x1c0, 0x1d0, 0x3c0, 0x188],
};

/** What pointers to void point to, when it is something in particular. */
const POINTED: Readonly<Record<string, string>> = {
  'zx_iob_create.regions': 'zx_iob_region_t',
  'zx_job_set_policy.policy': 'zx_policy_basic_v2_t',
  'zx_clock_update.args': 'zx_clock_update_args_v2_t',
};

type Handles = readonly (readonly [slot: number, entry: HandleEntry])[];

/**
 * Makes up the arguments of a process's calls: handles it has, of the type that is asked for more often than not,
 * pointers into its memory, where what they point to has been made up too, and values at the edges of their types.
 */
export class RandomArguments {
  private cursor = 0;
  private readonly handles: Handles;
  private readonly secret: number;

  constructor(
    private readonly random: Prng,
    private readonly k: Kernel,
    private readonly process: number,
    /** Writes the process's memory. */
    private readonly poke: (address: number, bytes: Uint8Array) => void,
  ) {
    const { handles, handleSecret } = k.sharedBy(process);
    this.handles = [...handles];
    this.secret = handleSecret;
  }

  /** Register values for the call. */
  of(call: Syscall): bigint[] {
    const values = new Map<string, bigint>();
    for (const arg of call.args) {
      if (arg.kind !== 'pointer') values.set(arg.name, this.value(call, arg));
    }
    for (const arg of call.args) {
      if (arg.kind === 'pointer') values.set(arg.name, this.pointer(call, arg, values));
    }
    return call.args.map(({ name }) => values.get(name)!);
  }

  private chance(percent: number): boolean {
    return this.random.below(100) < percent;
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)];
  }

  private value(call: Syscall, arg: SyscallArg): bigint {
    if (arg.kind === 'handle') {
      if (arg.optional && this.chance(50)) return 0n;
      return this.handle(arg.handle?.type, arg.handle?.oneOf);
    }
    // Stray bits above a narrow argument are not for the kernel to see.
    const wide = this.chance(5) ? BigInt(this.random.u32()) << 32n : 0n;
    return this.named(call.name, arg.name, arg.cType) | wide;
  }

  private named(call: string, name: string, cType: string): bigint {
    if (this.chance(6)) return this.pick(EDGES);
    const meant = MEANT[`${call}.${name}`] ?? MEANT[name];
    if (meant !== undefined && this.chance(90)) return BigInt(this.pick(meant));
    if (cType === 'zx_time_t' || /deadline/.test(name)) return this.time();
    if (/^zx_vmar/.test(call) && /addr|offset/.test(name) && this.chance(50)) return this.mappedAddress();
    if (/options|op$/.test(name)) return this.chance(80) ? 0n : this.flags();
    if (/koid/.test(name)) return BigInt(1024 + this.random.below(this.k.state.nextKoid - 1020));
    if (/^num_|count/.test(name)) return BigInt(this.random.below(5));
    if (/entry|thread_entry|pc$/.test(name)) return BigInt(SCRATCH);
    if (/size|len|offset|vaddr|addr/.test(name)) return this.size();
    return this.chance(70) ? BigInt(this.random.below(10)) : BigInt(this.random.u32());
  }

  private flags(): bigint {
    const count = this.random.below(4);
    let bits = 0;
    for (let i = 0; i < count; i++)
      bits |= this.chance(70) ? this.pick(VM_FLAGS) : 1 << this.random.below(32);
    return BigInt(bits >>> 0);
  }

  private size(): bigint {
    const pages = BigInt(this.random.below(this.chance(90) ? 9 : 5000));
    if (this.chance(70)) return pages * PAGE;
    if (this.chance(20)) return BigInt(SCRATCH + this.random.below(SCRATCH_BYTES));
    return pages * PAGE + BigInt(this.random.below(3) - 1) + (pages === 0n ? 1n : 0n);
  }

  private time(): bigint {
    const now = this.k.nowNs;
    const choices = [
      0n,
      now,
      now + 1n,
      now + BigInt(this.random.below(2000)),
      now + 10_000n,
      (1n << 63n) - 1n,
    ];
    return this.chance(4) ? BigInt.asUintN(64, -1n) : this.pick(choices);
  }

  /** Where something is mapped, or a page of it. */
  private mappedAddress(): bigint {
    const { rootVmar } = this.k.get(this.process, 'process');
    let vmar = this.k.find(rootVmar);
    for (let depth = 0; depth < 4 && vmar?.kind === 'vmar' && vmar.regions.size > 0; depth++) {
      const region = this.pick([...vmar.regions.values()]);
      const offset = BigInt(this.random.below(Math.min(8, region.sizeBytes / 4096))) * PAGE;
      if (region.kind === 'mapping' || this.chance(30)) return BigInt(region.base) + offset;
      vmar = this.k.find(region.koid);
    }
    return BigInt(SCRATCH);
  }

  private handle(type?: string, oneOf?: readonly string[]): bigint {
    if (this.chance(4)) return this.pick([0n, 0xffffffffn, 3n, 0x7ffffff3n, BigInt(this.random.u32())]);
    const fits = ({ koid }: HandleEntry): boolean => {
      const kind = this.k.find(koid)?.kind ?? '';
      return oneOf?.includes(kind) ?? kind === type;
    };
    const wanted = type !== undefined && (type !== 'any' || oneOf !== undefined) && this.chance(92);
    const among = wanted ? this.handles.filter(([, entry]) => fits(entry)) : this.handles;
    if (among.length === 0) return 0n;
    // The newest more often: what was just made is what the next calls are about.
    const from = this.chance(50) ? Math.max(0, among.length - 6) : 0;
    const [slot] = among[from + this.random.below(among.length - from)];
    return BigInt(handleValue(slot, this.secret) >>> 0);
  }

  private pointer(call: Syscall, arg: SyscallArg, values: Map<string, bigint>): bigint {
    if (this.chance(arg.optional ? 25 : 3)) return 0n;
    if (this.chance(6)) return this.badPointer();
    const target = POINTED[`${call.name}.${arg.name}`] ?? arg.cType.replace(/^const /, '').replace(/\*$/, '');
    const counted = values.get(arg.lengthArg ?? '') ?? 1n;
    const count = Number(counted < 9n ? counted : 9n);
    if (/futex/.test(arg.cType)) return BigInt(SCRATCH + 4 * this.random.below(4));
    const address = this.room(1024);
    if (arg.direction === 'out' && this.chance(90)) return BigInt(address);
    this.poke(address, this.contents(target, count));
    return BigInt(address + (this.chance(3) ? 1 : 0));
  }

  private badPointer(): bigint {
    const end = BigInt(SCRATCH + SCRATCH_BYTES);
    const edge = end - BigInt(this.random.below(24));
    return this.pick([edge, edge, end, 0x10n, 0x200000n, 1n << 38n, this.pick(EDGES), this.mappedAddress()]);
  }

  /** Memory for one argument, in turns around the scratch memory; the first page is for futexes and code. */
  private room(sizeBytes: number): number {
    if (this.cursor === 0) this.cursor = 4096 + 1024 * this.random.below(16);
    const address = SCRATCH + this.cursor;
    this.cursor = this.cursor + 2 * sizeBytes > SCRATCH_BYTES ? 4096 : this.cursor + sizeBytes;
    return address;
  }

  private contents(type: string, count: number): Uint8Array {
    if (type === 'zx_handle_t')
      return this.list(count, 4, (view, at) => view.setUint32(at, Number(this.handle()), true));
    if (type === 'zx_iob_region_t' && this.chance(85)) return this.regions(count);
    if ((STRUCT_NAMES as readonly string[]).includes(type)) {
      const { sizeBytes, fields } = struct(type as StructName);
      return this.list(count, sizeBytes, (view, at) => {
        for (const field of Object.values<StructField>(fields))
          this.field(view, at + field.offset, type, field);
      });
    }
    const bytes = this.chance(50) ? new Uint8Array(64) : this.random.bytes(64);
    if (type === 'void' && this.chance(50))
      new DataView(bytes.buffer).setUint32(0, this.expectedTxid(), true);
    return bytes;
  }

  /** Regions that can be, most of them. */
  private regions(count: number): Uint8Array {
    const bytes = Array.from({ length: count }, () => {
      const access = this.pick([0x33, 0x3b, 0x18, 0xbb]);
      const sharedRegion = Number(this.handle('iob-shared-region'));
      return regionBytes(
        this.pick<Region>([
          { access: access & 0x33, options: this.pick([0, 0, VmoOption.RESIZABLE, 8]) },
          { access, discipline: 1, size: this.pick([4096, 4096, 0, 20_000]) },
          { type: 1, access, size: 0, discipline: 2, sharedRegion },
        ]),
      );
    });
    return Uint8Array.from(bytes.flatMap((region) => [...region]));
  }

  /** What a message of the caller's might answer. */
  private expectedTxid(): number {
    for (const [, { koid }] of this.handles) {
      const channel = this.k.find(koid);
      const peer = channel?.kind === 'channel' ? this.k.find(channel.peer) : undefined;
      if (peer?.kind === 'channel' && peer.calls.size > 0) return this.pick([...peer.calls.keys()]);
    }
    return 0x80000001;
  }

  private list(count: number, sizeBytes: number, write: (view: DataView, at: number) => void): Uint8Array {
    const bytes = new Uint8Array(count * sizeBytes);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i++) write(view, i * sizeBytes);
    return bytes;
  }

  private field(
    view: DataView,
    at: number,
    owner: string,
    { name, cType, type, sizeBytes }: StructField,
  ): void {
    if (type === 'struct' || type === 'union') return;
    const value = this.fieldValue(owner, name, cType, type);
    if (sizeBytes === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
    else if (sizeBytes === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
  }

  private fieldValue(owner: string, name: string, cType: string, type: string): bigint {
    if (type === 'handle') return this.handle();
    if (type !== 'pointer') return name === 'capacity' ? this.size() % 5000n : this.named(owner, name, cType);
    if (this.chance(5)) return this.badPointer();
    const address = this.room(1024);
    const target = cType.replace(/^const /, '').replace(/\*$/, '');
    // One level is enough: what a struct points to are bytes, handles and dispositions.
    if (name.startsWith('wr_') && target !== 'void') this.poke(address, this.contents(target, 4));
    return BigInt(address);
  }
}
