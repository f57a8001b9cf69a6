/** What is kept of every chunk: 29 bytes, so that a file of very many small chunks does not fill memory. */
export class Directory {
  length = 0;
  private offsets = new Float64Array(64);
  private seqs = new Float64Array(64);
  private storedLengths = new Uint32Array(64);
  private rawLengths = new Uint32Array(64);
  private kinds = new Uint8Array(64);

  add(chunk: DirectoryEntry): void {
    if (this.length === this.kinds.length) this.grow();
    const i = this.length++;
    this.offsets[i] = chunk.offset;
    this.seqs[i] = chunk.seq;
    this.storedLengths[i] = chunk.storedLength;
    this.rawLengths[i] = chunk.rawLength;
    this.kinds[i] = chunk.kind;
  }

  get(i: number): DirectoryEntry {
    return {
      offset: this.offsets[i],
      seq: this.seqs[i],
      storedLength: this.storedLengths[i],
      rawLength: this.rawLengths[i],
      kind: this.kinds[i],
    };
  }

  kindAt(i: number): number {
    return this.kinds[i];
  }

  seqAt(i: number): number {
    return this.seqs[i];
  }

  private grow(): void {
    const capacity = this.kinds.length * 2;
    const larger = <T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.offsets = larger(this.offsets, new Float64Array(capacity));
    this.seqs = larger(this.seqs, new Float64Array(capacity));
    this.storedLengths = larger(this.storedLengths, new Uint32Array(capacity));
    this.rawLengths = larger(this.rawLengths, new Uint32Array(capacity));
    this.kinds = larger(this.kinds, new Uint8Array(capacity));
  }
}

/** Where a chunk is and what it is. */
export interface DirectoryEntry {
  /** Of the chunk's head, in the file. */
  readonly offset: number;
  readonly seq: number;
  readonly storedLength: number;
  readonly rawLength: number;
  /** Its number; `kindName` gives the name. */
  readonly kind: number;
}
