import { readFileSync } from 'node:fs';
import test from 'ava';
import { bytes, pool } from '../../src/cpu/engines/host-memory.js';
import { createMemory } from '../../src/cpu/wasm/web-assembly.js';
import { PAGE_SIZE, Page } from '../../src/memory/page.js';
import { adviseHugePages } from '../../src/platform/node/huge-pages.js';

const HUGE_BYTES = 2 << 20;
const ADVICE = '/sys/kernel/mm/transparent_hugepage/enabled';

/** What of this process is in huge pages, in bytes (proc_pid_smaps_rollup(5)). */
function hugeBytes(): number {
  const [, kibs] = /^AnonHugePages: +([0-9]+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))!;
  return Number(kibs) * 1024;
}

/** Whether Linux has them for whoever asks, here where koffi has what asks. */
function hasHugePages(): boolean {
  const { arch, platform, report } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) return false;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined && !readFileSync(ADVICE, 'utf8').includes('[never]');
}

test('the engines have huge pages once many pages are in use, where there are some', (t) => {
  const has = hasHugePages();
  t.is(adviseHugePages(createMemory(HUGE_BYTES).buffer, HUGE_BYTES), has);
  if (!has) return;
  const before = hugeBytes();
  for (let i = 0; i < 8192; i++) {
    const at = pool.addressOf(Page.zeroed({}));
    bytes[at] = 1;
  }
  t.true(hugeBytes() >= before + (8192 * PAGE_SIZE) / 2, `${before} ${hugeBytes()}`);
});
