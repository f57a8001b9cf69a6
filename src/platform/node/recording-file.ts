import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { ByteSource, Inflate } from '../../recording/format/byte-source.js';
import { MAGIC } from '../../recording/format/layout.js';
import { RecordingError } from '../../recording/format/recording-error.js';
import type { RecordingSink } from '../../recording/format/writer.js';

/** Half of the second that a killed recording may lose. */
const FLUSH_EVERY_MS = 500;
/** Deflate's level: of a schedule, 1 takes a quarter of the time of the default, and a tenth more bytes. */
const DEFLATE_LEVEL = 1;
/**
 * So much of a recording stays as it is: to load zlib and to begin with it takes 15 ms, a fifteenth of a short run. A
 * program and the schedule of 10^9 steps without company take 30 to 40 KiB.
 */
const PLAIN_BYTES = 48 << 10;

/** Loaded when it is first needed. */
function zlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
}

function refused(doing: string, path: string, error: unknown): RecordingError {
  const code = codeOf(error);
  if (code === 'ENOENT')
    return new RecordingError('missing', `no such file or folder ${path}`, null, 'check the name');
  return new RecordingError(
    'io',
    `cannot ${doing} ${path} (${code})`,
    null,
    'check the name, rights and disk space',
  );
}

/** Reads until `length` bytes are there or the file ends. */
function readAt(
  descriptor: number,
  offset: number,
  length: number,
  bytes: Uint8Array = new Uint8Array(length),
): Uint8Array {
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, bytes, done, length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done === bytes.length ? bytes : bytes.subarray(0, done);
}

/** A recording on disk, open for reading. */
export class RecordingFile implements ByteSource {
  /** Ready, where one in JavaScript would have to be compiled first. */
  readonly inflate: Inflate = (stored, most) => {
    const { buffer, byteOffset, length } = zlib().inflateRawSync(stored, { maxOutputLength: most });
    return new Uint8Array(buffer, byteOffset, length);
  };

  private constructor(
    private readonly path: string,
    private readonly descriptor: number,
    /** As it was when opened: a recording that is still being written is read up to here. */
    readonly sizeBytes: number,
  ) {}

  /** Throws RecordingError: `missing`, or `io` for what is not a file or may not be read. */
  static open(path: string): RecordingFile {
    let descriptor: number | null = null;
    try {
      // A pipe would block here without O_NONBLOCK; it is refused below.
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const status = fstatSync(descriptor);
      if (status.isFile()) return new RecordingFile(path, descriptor, status.size);
    } catch (error) {
      if (descriptor !== null) closeSync(descriptor);
      throw refused('read', path, error);
    }
    closeSync(descriptor);
    throw new RecordingError('io', `${path} is not a file`, null, 'give a recording');
  }

  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    try {
      return readAt(this.descriptor, offset, Math.max(0, Math.min(length, this.sizeBytes - offset)), room);
    } catch (error) {
      throw refused('read', this.path, error);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/**
 * A recording being written: straight to its final name, so that a killed recording is there. The clock of the
 * writer's flushes is here.
 */
export class RecordingFileSink implements RecordingSink {
  /** Many times as quick as one that has to be compiled first: most recordings are of short runs. */
  readonly deflate = (payload: Uint8Array): Uint8Array => {
    if (payload.length <= this.plainBytesLeft) {
      this.plainBytesLeft -= payload.length;
      return payload;
    }
    return zlib().deflateRawSync(payload, { level: DEFLATE_LEVEL });
  };
  private plainBytesLeft = PLAIN_BYTES;
  private flushedAtMs = Date.now();

  private constructor(
    private readonly path: string,
    private readonly descriptor: number,
  ) {}

  /**
   * Creates the file. An older recording of that name (or an empty file) is unlinked, not emptied: whoever is reading
   * it keeps it. Anything else of that name stays, and RecordingError (`io`) is thrown.
   */
  static create(path: string): RecordingFileSink {
    try {
      if (isReplaceable(path)) unlinkSync(path);
      // 'x' (O_EXCL) follows no link and opens nothing that came in between.
      return new RecordingFileSink(path, openSync(path, 'wx'));
    } catch (error) {
      if (error instanceof RecordingError) throw error;
      throw refused('create', path, error);
    }
  }

  /**
   * Writes a file that is there whole or not at all: under another name, until everything is on the disk. Of an older
   * one, and of anything else of that name, the same holds as in `create`.
   * @throws RecordingError
   */
  static whole(path: string, write: (sink: RecordingSink) => void): void {
    isReplaceable(path);
    const part = `${path}.part`;
    const sink = RecordingFileSink.create(part);
    try {
      write(sink);
      sink.sync();
      sink.close();
      renameSync(part, path);
    } catch (error) {
      unlinkSync(part);
      throw error instanceof RecordingError ? error : refused('write', path, error);
    }
  }

  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done);
      }
    } catch (error) {
      throw refused('write', this.path, error);
    }
  }

  flushDue(): boolean {
    // Asked a thousand times a second: the clocks that only go forwards cost more. When this one is set, it is time, too.
    return Math.abs(Date.now() - this.flushedAtMs) >= FLUSH_EVERY_MS;
  }

  flushed(): void {
    this.flushedAtMs = Date.now();
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** Waits for the disk: a killed process has lost nothing written, this is for a machine that loses power. */
  private sync(): void {
    try {
      fdatasyncSync(this.descriptor);
    } catch (error) {
      // Some file systems cannot: the bytes are written all the same.
      if (!['EINVAL', 'ENOSYS', 'ENOTSUP'].includes(codeOf(error))) throw refused('write', this.path, error);
    }
  }
}

/** Removes a recording; what is no recording stays. */
export function removeRecording(path: string): void {
  try {
    if (isReplaceable(path)) unlinkSync(path);
  } catch {
    // It is somebody else's, or it cannot be removed: nobody takes it for a part of another recording.
  }
}

/** Whether a file of this name may be replaced; false when there is none. Throws RecordingError when it may not. */
function isReplaceable(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  if (status.isFile()) {
    const file = RecordingFile.open(path);
    try {
      // Also one that was killed while its first bytes were written.
      if (file.read(0, MAGIC.length).every((byte, i) => byte === MAGIC[i])) return true;
    } finally {
      file.close();
    }
  }
  const what = `${path} exists and is not a recording`;
  throw new RecordingError('io', what, null, 'remove it or choose another name');
}
