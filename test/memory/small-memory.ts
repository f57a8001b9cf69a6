/** Memory that is smaller at first, as that of engines: once it grew, views of what it was are empty. */
export class SmallMemory {
  bytes: Uint8Array<ArrayBuffer>;

  /** @param refuses whether there is no memory to grow into */
  constructor(
    firstBytes: number,
    private readonly allBytes: number,
    private readonly refuses = false,
  ) {
    this.bytes = new Uint8Array(firstBytes);
  }

  get grew(): boolean {
    return this.bytes.length === this.allBytes;
  }

  readonly grow = (): ArrayBuffer | null => {
    if (this.refuses) return null;
    const { buffer } = this.bytes;
    const whole = new Uint8Array(this.allBytes);
    whole.set(this.bytes);
    structuredClone(buffer, { transfer: [buffer] });
    this.bytes = whole;
    return whole.buffer;
  };
}
