import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { touch } from '../../src/platform/node/touch-memory.js';

const MIB = 1 << 20;

// Elsewhere there is nobody who could do that.
const onLinux = process.platform === 'linux' && process.arch === 'x64' ? test : test.skip;

onLinux('memory is touched as far as it goes, and has zeros', (t) => {
  const memory = new Uint8Array(5 * MIB).fill(1);
  const touching = touch(memory.subarray(4096, 3 * MIB))!;
  touching.waitFor(3 * MIB - 4096);
  t.true(touching.doneBytes >= 3 * MIB - 4096);
  t.is(memory.indexOf(0), 4096);
  t.is(memory.lastIndexOf(0), 3 * MIB - 1);
  t.is(
    memory.reduce((sum, byte) => sum + byte, 0),
    2 * MIB + 4096,
  );
});

onLinux('what is said to be touched is not touched again', (t) => {
  for (let i = 0; i < 20; i++) {
    const memory = new Uint8Array(16 * MIB);
    const touching = touch(memory)!;
    for (let done = 0; done < memory.length; ) {
      touching.waitFor(done + 1);
      const { doneBytes } = touching;
      t.true(doneBytes > done);
      memory.fill(1, done, doneBytes);
      done = doneBytes;
    }
    t.is(memory.indexOf(0), -1);
  }
});

/** Touches memory while somebody stops the process and lets it go on, until that was amid a read; says what became of it. */
const STOPPED = `
import { spawn } from 'node:child_process';
import { touch } from '${new URL('../../src/platform/node/touch-memory.js', import.meta.url)}';
const stop = 'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.01; kill -STOP $0; sleep 0.01; kill -CONT $0; done';
spawn('sh', ['-c', stop, String(process.pid)], { stdio: 'ignore' });
let tries = 0;
let isDone = true;
while (isDone && tries++ < 50) isDone = touch(new Uint8Array(200 << 20)).waitFor(200 << 20);
console.log(isDone);
process.exit();`;

onLinux('a process that is stopped meanwhile is told that memory will not come', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', STOPPED]);
  t.is(stdout, 'false\n');
});
