import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A riscv64 program stopped at its first instruction under qemu, driven by the GDB remote protocol. */
export class SteppedProgram {
  private received = '';
  private wake: () => void = () => {};

  private constructor(
    private readonly qemu: ChildProcess,
    private readonly socket: Socket,
  ) {
    socket.on('data', (data) => {
      this.received += data.toString('latin1');
      this.wake();
    });
  }

  static async start(program: string, socketPath: string): Promise<SteppedProgram> {
    const qemu = spawn('qemu-riscv64', ['-g', socketPath, program], { stdio: 'ignore' });
    for (let attempt = 0; ; attempt++) {
      const socket = connect(socketPath);
      try {
        await once(socket, 'connect');
        return new SteppedProgram(qemu, socket);
      } catch (error) {
        if (attempt === 100) throw error;
        await sleep(50);
      }
    }
  }

  /** x0 to x31, then pc. */
  async registers(): Promise<bigint[]> {
    const bytes = Buffer.from(await this.ask('g'), 'hex');
    return Array.from({ length: 33 }, (_, i) => bytes.readBigUInt64LE(8 * i));
  }

  async memory(address: number, sizeBytes: number): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for (let at = address; at < address + sizeBytes; at += 1024) {
      const size = Math.min(1024, address + sizeBytes - at);
      parts.push(Buffer.from(await this.ask(`m${at.toString(16)},${size.toString(16)}`), 'hex'));
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  async step(): Promise<void> {
    await this.ask('s');
  }

  stop(): void {
    this.socket.destroy();
    this.qemu.kill('SIGKILL');
  }

  private async ask(text: string): Promise<string> {
    const sum = [...text].reduce((total, c) => total + c.charCodeAt(0), 0) & 0xff;
    this.socket.write(`$${text}#${sum.toString(16).padStart(2, '0')}`);
    for (;;) {
      const answer = /\$([^#]*)#../.exec(this.received);
      if (answer !== null) {
        this.socket.write('+');
        this.received = this.received.slice(answer.index + answer[0].length);
        return answer[1];
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
