import { fifoCharge } from './fifo.js';
import type { KernelObject } from './object.js';
import { PACKET_CHARGE } from './port.js';
import { bufferedCharge } from './socket.js';

/** What goes from `messageBytes` when an object ends, besides what its decider takes out of it before. */
export function heldCharge(object: KernelObject): number {
  switch (object.kind) {
    case 'fifo':
      return fifoCharge(object);
    case 'port':
      return PACKET_CHARGE * object.packets.size;
    case 'socket':
      return bufferedCharge(object);
    default:
      return 0;
  }
}

/** The VMOs that an object keeps, handles or not: they have its koid among their holders. */
export function heldVmos(object: KernelObject): readonly number[] {
  switch (object.kind) {
    case 'clock':
      return object.vmo === 0 ? [] : [object.vmo];
    case 'iob':
      return object.regions.map(({ views }) => views[object.endpoint]);
    case 'iob-shared-region':
    case 'stream':
      return [object.vmo];
    default:
      return [];
  }
}
