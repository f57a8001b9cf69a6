import {
  CONTROL,
  COPIED,
  MOST_ROOMS,
  pageNumberIn,
  pool,
  ROOMS,
  TRANSLATIONS,
  words,
} from './host-memory.js';

/** Enough for a number below MOST_ROOMS. */
const ROOM_BITS = 10;
/** With as many, generated code runs on: it comes back when there are none. */
const ENOUGH_ROOMS = 64;
/** As many as were set aside when generated code ran last. */
let ready = 0;

/** Sets rooms aside for what generated code may have to copy. */
export function fillRooms(): void {
  if (ready >= ENOUGH_ROOMS) return;
  while (ready < MOST_ROOMS) {
    const room = pool.takeRoom();
    if (room === null) break;
    words[(ROOMS >> 2) + ready++] = room;
  }
  words[CONTROL.rooms >> 2] = ready * 4;
}

/** Whether generated code copied pages since `takeCopied`. */
export function someCopied(): boolean {
  return words[CONTROL.rooms >> 2] !== ready * 4;
}

/** The numbers of pages that generated code copied since it was asked last, and where to: in ascending order of their low bits. */
export function takeCopied(): { readonly pageNumbers: readonly number[]; readonly rooms: readonly number[] } {
  const left = words[CONTROL.rooms >> 2]! >> 2;
  const pageNumbers: number[] = [];
  const rooms: number[] = [];
  const order = new Int32Array(ready - left);
  for (let i = left; i < ready; i++)
    order[i - left] = ((pageNumberIn(COPIED + i * 8) % TRANSLATIONS) << ROOM_BITS) | i;
  ready = left;
  for (const one of order.sort()) {
    const i = one & (MOST_ROOMS - 1);
    pageNumbers.push(pageNumberIn(COPIED + i * 8));
    rooms.push(words[(ROOMS >> 2) + i]!);
  }
  return { pageNumbers, rooms };
}
