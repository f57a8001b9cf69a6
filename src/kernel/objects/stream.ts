import { IntMap } from '../../base/int-map.js';
import { newObject, type ObjectBase } from './object.js';
import type { Reducers } from './reducer.js';
import { holdVmo } from './vmo.js';

export interface StreamState extends ObjectBase {
  readonly kind: 'stream';
  /** ZX_STREAM_MODE_* bits. */
  readonly mode: number;
  readonly vmo: number;
  /** A uint64: it may be far behind the end. */
  readonly seek: bigint;
  /** Whether the VMO's handle that it was made with had RESIZE. */
  readonly canResize: boolean;
}

export interface StreamEvents {
  'stream-created': { koid: number; mode: number; vmo: number; seek: bigint; canResize: boolean };
  /** Moved by a call that reads, writes or seeks. */
  'stream-sought': { koid: number; seek: bigint };
  'stream-mode-set': { koid: number; mode: number };
}

export const streamReducers: Reducers<StreamEvents> = {
  'stream-created': (k, e) => {
    const { mode, vmo, seek, canResize } = e;
    k.create({ kind: 'stream', ...newObject(e.koid, 0, IntMap.empty()), mode, vmo, seek, canResize });
    holdVmo(k, vmo, e.koid);
  },
  'stream-sought': (k, e) => {
    k.update(e.koid, 'stream', (stream) => {
      stream.seek = e.seek;
    });
  },
  'stream-mode-set': (k, e) => {
    k.update(e.koid, 'stream', (stream) => {
      stream.mode = e.mode;
    });
  },
};
