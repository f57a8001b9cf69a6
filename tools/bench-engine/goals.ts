/** Goals, one line each: what, measured, goal, and whether it is reached. What is not measured is not reached. */
export class Goals {
  private missed = 0;

  private line(what: string, measured: string, goal: string, reached: boolean): void {
    if (!reached) this.missed++;
    const left = `${what.padEnd(42)} ${measured.padStart(12)}`;
    process.stdout.write(`${left}  ${goal.padEnd(14)} ${reached ? 'ok' : 'MISSED'}\n`);
  }

  atLeast(what: string, value: number | null, least: number, unit = '', digits = 2): void {
    const measured = value === null ? 'not measured' : `${value.toFixed(digits)}${unit}`;
    this.line(what, measured, `>= ${least}${unit}`, value !== null && value >= least);
  }

  atMost(what: string, value: number | null, most: number, unit = '', digits = 2): void {
    const measured = value === null ? 'not measured' : `${value.toFixed(digits)}${unit}`;
    this.line(what, measured, `<= ${Number(most.toFixed(digits))}${unit}`, value !== null && value <= most);
  }

  end(): void {
    process.stdout.write(this.missed === 0 ? 'all reached\n' : `${this.missed} missed\n`);
  }
}
