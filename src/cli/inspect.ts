import { formatPosition, type Position } from '../machine/position.js';
import '../platform/node/huge-pages.js';
import { Names } from '../timeline/names.js';
import { Timeline } from '../timeline/timeline.js';
import { openCheckpoints } from './checkpoint-file.js';
import { UserError } from './errors.js';
import { ofRecording, openToLook } from './open-recording.js';
import { positionArgument } from './position-argument.js';
import { wholeNumber } from './run-options.js';
import { writeAll } from './write-all.js';

/** What the verbs that look into a recording have in common. */
export class Inspection {
  readonly timeline: Timeline;
  readonly names: Names;

  /** @throws RecordingError, ElfError */
  constructor(path: string) {
    this.timeline = ofRecording(path, () => {
      const recording = openToLook(path);
      return new Timeline(recording, openCheckpoints(path, recording));
    });
    this.names = new Names(this.timeline.machine.k, this.timeline.spec.program);
  }

  /** @throws UserError when the text is no position */
  position(text: string): Position {
    return positionArgument(text, () => this.timeline.end);
  }

  /** The process asked for, which must have existed by now; else the first one. */
  process(koid: number | undefined): number {
    const { k } = this.timeline.machine;
    if (koid === undefined) return k.state.mainProcess;
    if (k.find(koid)?.kind === 'process') return koid;
    throw new UserError(`no process ${koid} at this position, \`jacinth show … objects\` lists them`);
  }

  /**
   * An address: a number, or a symbol of the program or the vDSO with or without an offset, with the symbol's size.
   * @throws UserError
   */
  address(text: string, process: number): { readonly address: number; readonly sizeBytes: number | null } {
    if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) {
      const number = Number(text);
      if (Number.isSafeInteger(number)) return { address: number, sizeBytes: null };
      throw new UserError(`no process has memory at ${text}, give an address below 2^47`);
    }
    const [, name, plus] = /^(.+?)(?:\+(0x[0-9a-f]+|[0-9]+))?$/i.exec(text) ?? [];
    const symbol = name === undefined ? null : this.names.find(process, name);
    if (symbol === null) {
      const { k } = this.timeline.machine;
      throw new UserError(
        process === k.state.mainProcess || k.find(process)?.kind === 'process'
          ? `no symbol or address ${text}, give a number or a name of the program`
          : `no process ${process} at ${formatPosition(k.state)}, where ${text} is looked for, name an earlier position`,
      );
    }
    const offset = plus === undefined ? 0 : Number(plus);
    return { address: symbol.address + offset, sizeBytes: Math.max(0, symbol.sizeBytes - offset) || null };
  }
}

/** A parser of koids, for options. */
export const koid = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** Thrown through whatever prints when nobody reads any more. */
class ReaderGone extends Error {
  override name = 'ReaderGone';
}

const BUFFER_BYTES = 1 << 16;

/** Text on stdout, written at once when a buffer is full: memory stays small however slow the reader is. */
export class Output {
  private readonly parts: string[] = [];
  private size = 0;

  /** @throws ReaderGone */
  line(text: string): void {
    this.text(`${text}\n`);
  }

  /** @throws ReaderGone */
  text(text: string): void {
    this.parts.push(text);
    this.size += text.length;
    if (this.size >= BUFFER_BYTES) this.flush();
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** @throws ReaderGone */
  flush(): void {
    const text = this.parts.join('');
    this.parts.length = 0;
    this.size = 0;
    if (!writeAll(1, text)) throw new ReaderGone();
  }
}

/** Prints until done or until nobody reads any more, which is no error (`… | head`). */
export function printing(print: (out: Output) => void): void {
  const out = new Output();
  try {
    print(out);
    out.flush();
  } catch (reason) {
    if (!(reason instanceof ReaderGone)) throw reason;
  }
}
