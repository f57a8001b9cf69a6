import { type CodeSource, type Region, RegionFinder } from '../../src/cpu/engines/region.js';
import { INSTRUCTION_SET, RISCV64 } from '../../src/cpu/riscv64/arch.js';
import { CODE } from './cpu-fixture.js';

/** Code of 32-bit instructions that starts at CODE; the region starts at one of them, and indirect jumps went to some. */
export class Codes implements CodeSource {
  readonly address: bigint;
  readonly pages = new Map();
  /** How often an instruction was asked for. */
  asked = 0;

  constructor(
    private readonly codes: readonly number[],
    private readonly start = 0,
    private readonly targets: readonly number[] = [],
  ) {
    this.address = BigInt(CODE + start * 4);
  }

  decodeAt(at: number) {
    this.asked++;
    const bits = this.codes[this.start + at / 4];
    return bits === undefined ? null : INSTRUCTION_SET.decode(bits, 4);
  }

  jumpTargets() {
    return this.targets.map((target) => (target - this.start) * 4);
  }

  startsRegionAt() {
    return false;
  }
}

/** The region at the start of some code, or at another instruction. */
export function regionOf(...code: ConstructorParameters<typeof Codes>): Region {
  const region = new RegionFinder(INSTRUCTION_SET, new Codes(...code)).find();
  if (region === null) throw new Error('there is no region');
  return region;
}

/** Assembly with addresses, as comments of the text format. */
export function listing(codes: readonly number[]): string {
  return codes
    .map((bits, i) => {
      const at = CODE + i * 4;
      return `;; ${at.toString(16)}: ${RISCV64.disassemble(BigInt(at), bits)}\n`;
    })
    .join('');
}
