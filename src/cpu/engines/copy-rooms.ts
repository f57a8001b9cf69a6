import { CONTROL, COPIED, MOST_ROOMS, pool, ROOMS, words } from './host-memory.js';

const ENTRY_BITS = 3;
/** Enough for a number below MOST_ROOMS. */
const ROOM_BITS = 10;
/** As many as were set aside when generated code ran last. */
let ready = 0;

/** Sets rooms aside for what generated code may have to copy. */
export function fillRooms(): void {
  while (ready < MOST_ROOMS) {
    const room = pool.takeRoom();
    if (room === null) break;
    words[(ROOMS >> 2) + ready++] = room;
  }
  words[CONTROL.rooms >> 2] = ready * 4;
}

/** What generated code copied since it was asked last, and where to: entries in ascending order of their indexes. */
export function takeCopied(): { readonly indexes: readonly number[]; readonly rooms: readonly number[] } {
  const left = words[CONTROL.rooms >> 2]! >> 2;
  const indexes: number[] = [];
  const rooms: number[] = [];
  if (left === ready) return { indexes, rooms };
  const order = new Int32Array(ready - left);
  for (let i = left; i < ready; i++)
    order[i - left] = ((words[(COPIED >> 2) + i]! >> ENTRY_BITS) << ROOM_BITS) | i;
  ready = left;
  for (const one of order.sort()) {
    indexes.push(one >> ROOM_BITS);
    rooms.push(words[(ROOMS >> 2) + (one & (MOST_ROOMS - 1))]!);
  }
  return { indexes, rooms };
}
