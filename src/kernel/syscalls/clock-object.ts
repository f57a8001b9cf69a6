import {
  CLOCK_ARGS_VERSION_SHIFT,
  CLOCK_RATE_ADJUST_MAX_PPM,
  CLOCK_RATE_ADJUST_MIN_PPM,
  CLOCK_UNKNOWN_ERROR_NS,
  ClockOption,
  ClockUpdateOption,
} from '../../abi/clocks.js';
import { DEFAULT_RIGHTS, Right } from '../../abi/rights.js';
import { Signal } from '../../abi/signals.js';
import { Status } from '../../abi/status.js';
import { decodeStruct, sizeOf } from '../../abi/structs.js';
import { VmOption } from '../../abi/vm.js';
import { PAGE_SIZE } from '../../memory/page.js';
import type { ClockSetting } from '../objects/clock.js';
import type { Call } from './call.js';
import {
  applyTransform,
  type ClockUpdate,
  checkUpdate,
  encodeDetails,
  readDetails,
  updatedSetting,
  withQueryTime,
} from './clock-setting.js';
import type { Handler, Handlers } from './dispatch.js';
import { requireHandleRoom } from './handles.js';
import { requireArgs } from './refusal.js';
import { changeSignals } from './signals.js';
import { mapInto } from './vmar-map.js';
import { requireMemory } from './vmo-range.js';

const { MONOTONIC, CONTINUOUS, AUTO_START, BOOT, MAPPABLE } = ClockOption;
const DETAILS_BYTES = sizeOf('zx_clock_details_v1_t');
const ARGS_VERSION_MASK = 0x3fn << CLOCK_ARGS_VERSION_SHIFT;

/** ZX_INFO_CLOCK_MAPPED_SIZE of every clock that can be mapped. */
export const CLOCK_MAPPED_BYTES = PAGE_SIZE;

/** The version of the arguments structure, and the options without it, which have no meaning above 32 bits. */
function splitOptions(options: bigint): { version: number; flags: number } {
  const flags = options & ~ARGS_VERSION_MASK;
  requireArgs(flags <= 0xffffffffn);
  return { version: Number(options >> CLOCK_ARGS_VERSION_SHIFT), flags: Number(flags) };
}

/** The backstop time that the arguments ask for; without arguments there is none. */
function readBackstop(call: Call, version: number, address: number): bigint {
  if (version === 0) {
    requireArgs(address === 0);
    return 0n;
  }
  requireArgs(version === 1);
  const bytes = call.read(address, sizeOf('zx_clock_create_args_v1_t'));
  return decodeStruct('zx_clock_create_args_v1_t', bytes).backstop_time;
}

/** A clock that starts itself shows its reference; another stands at its backstop. */
function firstSetting(flags: number, backstopTime: bigint, now: bigint): ClockSetting {
  const started = (flags & AUTO_START) !== 0;
  return {
    transform: {
      referenceOffset: 0n,
      syntheticOffset: started ? 0n : backstopTime,
      numerator: started ? 1 : 0,
      denominator: 1,
    },
    errorBound: CLOCK_UNKNOWN_ERROR_NS,
    valueUpdatedAt: started ? now : 0n,
    rateUpdatedAt: started ? now : 0n,
    errorBoundUpdatedAt: 0n,
    rateAdjust: 0,
    generation: 0,
  };
}

// Monotonic and boot time are one here, so that a clock's reference is always the time now.
const create: Handler<'zx_clock_create'> = (call, { options, args }) => {
  const { version, flags } = splitOptions(options);
  const backstopTime = readBackstop(call, version, args);
  call.allowOptions(flags, MONOTONIC | CONTINUOUS | AUTO_START | BOOT | MAPPABLE);
  requireArgs((flags & CONTINUOUS) === 0 || (flags & MONOTONIC) !== 0);
  const now = call.k.nowNs;
  requireArgs(backstopTime >= 0n && ((flags & AUTO_START) === 0 || backstopTime <= now));
  call.requireOut('out');
  requireHandleRoom(call.k, call.process, 1);
  const setting = firstSetting(flags, backstopTime, now);
  const mappable = (flags & MAPPABLE) !== 0;
  const vmo = mappable ? createPage(call) : 0;
  const koid = call.k.state.nextKoid;
  const signals = (flags & AUTO_START) === 0 ? 0 : Signal.CLOCK_STARTED;
  call.emit({ type: 'clock-created', koid, options: flags, backstopTime, setting, signals, vmo });
  writePage(call, koid);
  call.putHandle('out', koid, DEFAULT_RIGHTS.clock | (mappable ? Right.MAP : 0));
  return Status.OK;
};

/** The memory of a clock that can be mapped, with the name that lists of mappings show. */
function createPage(call: Call): number {
  requireMemory(call.k, 1);
  const koid = call.k.state.nextKoid;
  call.emit({
    type: 'vmo-created',
    koid,
    sizeBytes: CLOCK_MAPPED_BYTES,
    contentSizeBytes: CLOCK_MAPPED_BYTES,
    resizable: false,
    discardable: false,
    name: 'kernel-clock',
    vdsoCodeOffset: 0,
    vdsoCodeSizeBytes: 0,
  });
  return koid;
}

/** What is mapped are the details, as zx_clock_get_details_mapped gives them; programs may not rely on that. */
function writePage(call: Call, koid: number): void {
  const clock = call.k.get(koid, 'clock');
  if (clock.vmo === 0) return;
  call.emit({ type: 'vmo-written', vmo: clock.vmo, offset: 0, bytes: encodeDetails(clock) });
}

function readUpdate(call: Call, options: bigint, address: number): ClockUpdate {
  requireArgs(address !== 0);
  const { version, flags } = splitOptions(options);
  if (version === 1) {
    const bytes = call.read(address, sizeOf('zx_clock_update_args_v1_t'));
    const { rate_adjust, value, error_bound } = decodeStruct('zx_clock_update_args_v1_t', bytes);
    return {
      version,
      options: flags,
      rateAdjust: rate_adjust,
      synthetic: value,
      reference: 0n,
      errorBound: error_bound,
    };
  }
  requireArgs(version === 2);
  const bytes = call.read(address, sizeOf('zx_clock_update_args_v2_t'));
  const fields = decodeStruct('zx_clock_update_args_v2_t', bytes);
  return {
    version,
    options: flags,
    rateAdjust: fields.rate_adjust,
    synthetic: fields.synthetic_value,
    reference: fields.reference_value,
    errorBound: fields.error_bound,
  };
}

const UPDATE_OPTIONS =
  ClockUpdateOption.VALUE_VALID |
  ClockUpdateOption.RATE_ADJUST_VALID |
  ClockUpdateOption.ERROR_BOUND_VALID |
  ClockUpdateOption.REFERENCE_VALUE_VALID;

const update: Handler<'zx_clock_update'> = (call, { options, args }) => {
  const asked = readUpdate(call, options, args);
  call.allowOptions(asked.options, UPDATE_OPTIONS);
  requireArgs(asked.options !== 0);
  if ((asked.options & ClockUpdateOption.RATE_ADJUST_VALID) !== 0) {
    requireArgs(
      asked.rateAdjust >= CLOCK_RATE_ADJUST_MIN_PPM && asked.rateAdjust <= CLOCK_RATE_ADJUST_MAX_PPM,
    );
  }
  const clock = call.object('handle', 'clock');
  checkUpdate(asked);
  const setting = updatedSetting(clock, asked, call.k.nowNs);
  call.emit({ type: 'clock-updated', koid: clock.koid, setting });
  writePage(call, clock.koid);
  // UPDATED is only ever seen by who waits for it.
  changeSignals(call.m, clock.koid, 0, Signal.CLOCK_STARTED | Signal.CLOCK_UPDATED);
  changeSignals(call.m, clock.koid, Signal.CLOCK_UPDATED, 0);
  return Status.OK;
};

/** Refuses with INVALID_ARGS unless details of version 1, the only one, are asked for. */
function requireDetailsVersion(options: bigint, details: number): void {
  requireArgs(options === 1n << CLOCK_ARGS_VERSION_SHIFT && details !== 0);
}

/** Mapped clocks are only to be read, and have no stream size (syscalls/vmar_map_clock). */
const NOT_FOR_CLOCKS =
  VmOption.PERM_WRITE |
  VmOption.PERM_EXECUTE |
  VmOption.PERM_READ_IF_XOM_UNSUPPORTED |
  VmOption.FAULT_BEYOND_STREAM_SIZE;

const mapClock: Handler<'zx_vmar_map_clock'> = (call, args) => {
  const { options, vmar_offset, len, mapped_addr } = args;
  requireArgs((options & NOT_FOR_CLOCKS) === 0);
  requireArgs(len === BigInt(CLOCK_MAPPED_BYTES));
  const { vmo } = call.resolve(args.clock, 'clock', 0).object;
  requireArgs(vmo !== 0);
  const vmar = call.handle('handle', 'vmar');
  const { rights } = call.handle('clock', 'clock');
  const page = { object: call.k.get(vmo, 'vmo'), rights: rights & (Right.READ | Right.MAP) };
  return mapInto(call, vmar, page, {
    options,
    vmarOffset: vmar_offset,
    vmoOffset: 0n,
    len,
    mappedAddress: mapped_addr,
  });
};

export const clockObjectCalls: Handlers = {
  zx_clock_create: create,
  zx_clock_update: update,
  zx_vmar_map_clock: mapClock,

  zx_clock_read: (call) => {
    const { setting } = call.object('handle', 'clock');
    call.requireOut('now');
    call.put('now', applyTransform(setting.transform, call.k.nowNs));
    return Status.OK;
  },

  zx_clock_get_details: (call, { options, details }) => {
    requireDetailsVersion(options, details);
    const clock = call.object('handle', 'clock');
    call.requireWritable(details, DETAILS_BYTES);
    call.write(details, withQueryTime(encodeDetails(clock), call.k.nowNs));
    return Status.OK;
  },

  // A function of the vDSO, which would fault on an address that nothing is mapped at.
  zx_clock_read_mapped: (call, { clock_addr }) => {
    const now = readDetails(call.read(clock_addr, DETAILS_BYTES), call.k.nowNs);
    requireArgs(now !== null);
    call.requireOut('now');
    call.put('now', now ?? 0n);
    return Status.OK;
  },

  zx_clock_get_details_mapped: (call, { clock_addr, options, details }) => {
    requireDetailsVersion(options, details);
    const bytes = withQueryTime(call.read(clock_addr, DETAILS_BYTES), call.k.nowNs);
    call.requireWritable(details, DETAILS_BYTES);
    call.write(details, bytes);
    return Status.OK;
  },
};
