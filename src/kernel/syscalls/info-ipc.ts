import { SocketOption } from '../../abi/ipc.js';
import { encodeStruct, struct } from '../../abi/structs.js';
import type { ClockState } from '../objects/clock.js';
import { type IobRegion, type IobState, regionKoid } from '../objects/iob.js';
import { SOCKET_BUFFER_BYTES, type SocketState } from '../objects/socket.js';
import type { StreamState } from '../objects/stream.js';
import { CLOCK_MAPPED_BYTES } from './clock-object.js';
import { type Asked, type Lists, type Records, u64Bytes } from './info-record.js';
import { requireArgs } from './refusal.js';
import { firstDatagramBytes } from './socket.js';
import { contentSize } from './stream.js';

/** The peer's side is all zeros once it is gone (object/socket_dispatcher, GetInfo). */
function socketInfo({ call, object }: Asked): Uint8Array {
  const socket = object as SocketState;
  const peer = call.k.find(socket.peer);
  return encodeStruct('zx_info_socket_t', {
    options: socket.datagram ? SocketOption.DATAGRAM : SocketOption.STREAM,
    rx_buf_max: SOCKET_BUFFER_BYTES,
    rx_buf_size: socket.sizeBytes,
    rx_buf_available: socket.datagram ? firstDatagramBytes(socket) : socket.sizeBytes,
    tx_buf_max: peer?.kind === 'socket' ? SOCKET_BUFFER_BYTES : 0,
    tx_buf_size: peer?.kind === 'socket' ? peer.sizeBytes : 0,
  });
}

function streamInfo({ call, object }: Asked): Uint8Array {
  const stream = object as StreamState;
  return encodeStruct('zx_info_stream_t', {
    options: stream.mode,
    seek: stream.seek,
    content_size: contentSize(call, stream),
  });
}

/** Refuses with INVALID_ARGS for a clock that cannot be mapped. */
function clockMappedSize({ object }: Asked): Uint8Array {
  requireArgs((object as ClockState).vmo !== 0);
  return u64Bytes(CLOCK_MAPPED_BYTES);
}

function iobInfo({ object }: Asked): Uint8Array {
  return encodeStruct('zx_info_iob_t', { options: 0n, region_count: (object as IobState).regions.length });
}

/** What is said of access is said to end 0: the other one sees itself in its place (object/io_buffer_dispatcher). */
function regionInfo(region: IobRegion, endpoint: 0 | 1): Uint8Array {
  const { config, access } = region;
  const info = struct('zx_iob_region_info_t');
  const bytes = new Uint8Array(info.sizeBytes);
  bytes.set(config, info.fields.region.offset);
  const seen = endpoint === 0 ? access : ((access & 0xf) << 4) | (access >> 4);
  bytes[info.fields.region.offset + struct('zx_iob_region_t').fields.access.offset] = seen;
  bytes.set(u64Bytes(regionKoid(region)), info.fields.koid.offset);
  return bytes;
}

function iobRegions({ object }: Asked): { avail: number; records: Iterable<Uint8Array> } {
  const { regions, endpoint } = object as IobState;
  return { avail: regions.length, records: regions.map((region) => regionInfo(region, endpoint)) };
}

export const ipcLists: Lists = { IOB_REGIONS: iobRegions };

export const ipcRecords: Records = {
  CLOCK_MAPPED_SIZE: clockMappedSize,
  IOB: iobInfo,
  SOCKET: socketInfo,
  STREAM: streamInfo,
};
