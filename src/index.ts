/**
 * Jacinth as a library: record programs, replay recordings, look at any position of them, compare two. Nothing here
 * touches the host, so it runs in a browser as it does in Node; files are in `jacinth/node`.
 */

export type { EngineKind } from './cpu/arch.js';
export type { DiffReport } from './diff/report.js';
export { type EventOf, type EventType, type KernelEvent, reduce } from './kernel/objects/events.js';
export type { Halt, KernelState } from './kernel/objects/kernel.js';
export { stateHash } from './kernel/objects/state-hash.js';
export { diff } from './library/diff.js';
export { inOrder } from './library/in-order.js';
export { open, Session } from './library/open.js';
export { type RecordOptions, Run, record } from './library/record.js';
export { type ReplayOptions, type ReplayResult, replay } from './library/replay.js';
export { ElfError } from './loader/elf.js';
export type { RunSpec, Strategy } from './loader/launch.js';
export { exitStatus } from './machine/exit-status.js';
export type { Happened } from './machine/machine.js';
export { comparePositions, formatPosition, type Position, parsePosition, START } from './machine/position.js';
export { type ByteSource, bytesSource } from './recording/format/byte-source.js';
export type { RecordingEnd, RecordingHeader } from './recording/format/header.js';
export { RecordingError } from './recording/format/recording-error.js';
export type { RecordingSink } from './recording/format/writer.js';
export { Diverged, type Divergence } from './recording/player.js';
export type { Detail } from './recording/run-header.js';
export { NoSuchPosition } from './timeline/timeline.js';
export { VERSION } from './version.js';
