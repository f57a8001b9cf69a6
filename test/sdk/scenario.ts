import { InfoTopic } from '../../src/abi/info.js';
import { Right } from '../../src/abi/rights.js';
import { Signal } from '../../src/abi/signals.js';
import { sizeOf } from '../../src/abi/structs.js';
import { VmOption, VmoOption } from '../../src/abi/vm.js';
import { program } from '../../src/sdk/program.js';
import type { Zx } from '../../src/sdk/zx.js';
import { FOREVER } from './support.js';

const PLACES = 8;
const PAGE = 4096;
const BYTES = 64;
const LETTERS = new TextEncoder().encode('sixteen letters\0');

/** Makes one call of test/guests/scenario.c: the same ones, with the same arguments. */
function* make(zx: Zx, places: number[], call: number, a: number, b: number) {
  const [i, next, j] = [a % PLACES, (a + 1) % PLACES, b % PLACES];
  const signals = (1 << (b % 32)) >>> 0;
  const one = (result: { readonly out: number | null }): void => {
    if (result.out !== null) places[i] = result.out;
  };
  const two = ({ out0, out1 }: { readonly out0: number | null; readonly out1: number | null }): void => {
    if (out0 === null || out1 === null) return;
    places[i] = out0;
    places[next] = out1;
  };
  switch (call) {
    case 0:
      return one(yield* zx.eventCreate(0));
    case 1:
      return two(yield* zx.channelCreate(b & 1));
    case 2: {
      const rights = b & 1 ? Right.SAME_RIGHTS : b;
      const { out } = yield* zx.handleDuplicate(places[i], rights);
      if (out !== null) places[j] = out;
      return;
    }
    case 3:
      yield* zx.handleClose(places[i]);
      places[i] = 0;
      return;
    case 4:
      yield* zx.channelWrite(places[i], 0, new Uint8Array(b % BYTES), b % 2 === 1 ? [places[j]] : []);
      if (b % 2 === 1) places[j] = 0;
      return;
    case 5: {
      const { status, handles, actualHandles } = yield* zx.channelRead(places[i], 0, BYTES, 1);
      if (status === 'ZX_OK' && actualHandles > 0) places[j] = handles[0];
      return;
    }
    case 6:
      return yield* zx.objectWaitOne(places[i], signals, 0);
    case 7:
      return yield* zx.objectSignal(places[i], 0, signals);
    case 8:
      return one(yield* zx.vmoCreate(b * 100, a & 1 ? VmoOption.RESIZABLE : 0));
    case 9:
      return yield* zx.vmoWrite(places[i], LETTERS, b * 8);
    case 10:
      return yield* zx.vmoRead(places[i], b * 8, LETTERS.length);
    case 11:
      return one(yield* zx.portCreate(0));
    case 12:
      return yield* zx.objectWaitAsync(places[i], places[j], b, Signal.USER_0, 0);
    case 13:
      return yield* zx.portWait(places[i], 0);
    case 14:
      return one(yield* zx.timerCreate(0, 0));
    case 15:
      return yield* zx.timerSet(places[i], b & 1 ? FOREVER : 0, 0);
    case 16:
      return yield* zx.objectGetInfo(places[i], InfoTopic.HANDLE_BASIC, sizeOf('zx_info_handle_basic_t'));
    case 17: {
      const access = b & 1 ? VmOption.PERM_READ : 0;
      const root = zx.rootVmar.raw;
      const { status, mappedAddr } = yield* zx.vmarMap(root, access, 0, places[i], 0, PAGE);
      if (status === 'ZX_OK') yield* zx.vmarUnmap(root, mappedAddr, PAGE);
      return;
    }
    case 18:
      return two(yield* zx.eventpairCreate(0));
    default:
      return yield* zx.objectSignalPeer(places[i], 0, signals);
  }
}

/** The same program as test/guests/scenario.c. */
export const scenario = program('scenario', function* (zx) {
  const text = zx.args[1] ?? '';
  const places = new Array<number>(PLACES).fill(0);
  yield* zx.systemGetPhysmem();
  for (let at = 0; at + 6 <= text.length; at += 6) {
    const byte = (n: number): number => Number.parseInt(text.slice(at + n, at + n + 2), 16);
    yield* make(zx, places, byte(0) % 20, byte(2), byte(4));
  }
  yield* zx.systemGetPhysmem();
});
