/**
 * Programs in TypeScript that run as threads of the simulated kernel: `program` makes one, `record` of 'jacinth' runs
 * it. Classes over handles stand for kernel objects; README.md tells how it works and what going back costs.
 */

export { ClockId, ClockOption, TIME_INFINITE_NS, TimerSlack } from '../abi/clocks.js';
export { InfoTopic, Property } from '../abi/info.js';
export { SocketDisposition, SocketOption, StreamMode, StreamWriteOption } from '../abi/ipc.js';
export { ObjectType } from '../abi/object-types.js';
export { PacketType, WaitAsyncOption } from '../abi/ports.js';
export { ProcArg } from '../abi/processargs.js';
export { Right } from '../abi/rights.js';
export { Signal } from '../abi/signals.js';
export {
  DirtyRangeOption,
  PagerCommand,
  PagerOp,
  VmarOp,
  VmOption,
  VmoChildOption,
  VmoOp,
  VmoOption,
} from '../abi/vm.js';
export type { CallMessage, Disposition } from './calls.js';
export { Channel, type Sent } from './channel.js';
export { Clock, type ClockUpdate } from './clock.js';
export { Counter } from './counter.js';
export { Event, Eventpair } from './event.js';
export { Exception } from './exception.js';
export { Fifo } from './fifo.js';
export { Handle, Peered } from './handle.js';
export { Iob } from './iob.js';
export { Job, type PolicyRule } from './job.js';
export { type Launch, launch } from './launch.js';
export type { Task } from './operation.js';
export { Pager } from './pager.js';
export { type Packet, Port, pageRequestOf, signalOf } from './port.js';
export { Process } from './process.js';
export { type Main, type Program, program } from './program.js';
export { type ErrorStatus, Failed, must, type PartialResult, type Result } from './result.js';
export { Socket } from './socket.js';
export { Stream } from './stream.js';
export { Thread } from './thread.js';
export { Timer } from './timer.js';
export { Vmar } from './vmar.js';
export { Vmo } from './vmo.js';
export { type SpawnOptions, type StartupHandle, Zx } from './zx.js';
