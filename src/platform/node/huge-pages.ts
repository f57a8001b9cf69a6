import { whenManyPages } from '../../cpu/engines/host-memory.js';

/** As much as is used of koffi, which calls functions of C. */
interface Koffi {
  load(library: string): {
    func(name: string, result: string, parameters: string[]): (...args: unknown[]) => number;
  };
  address(buffer: ArrayBuffer): bigint;
}

/** Linux's number for that advice (madvise(2)). */
const MADV_HUGEPAGE = 14;

/** What it has for this processor and glibc, without the search for that, which takes as long again; throws elsewhere. */
function loadKoffi(): Koffi {
  const { arch } = process;
  // That module takes 2 ms, which commands of few pages do not need.
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(import.meta.url)(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`);
}

/**
 * Asks Linux for memory in pages of 2 MiB instead of 4 KiB: it gives memory when that is touched, and takes 3 to 12 µs
 * for each page. Where that cannot be asked, memory is what it was. The advice holds for addresses that the memory has
 * set aside, too.
 *
 * @returns whether Linux was asked
 */
export function adviseHugePages(memory: ArrayBuffer, sizeBytes: number): boolean {
  try {
    const koffi = loadKoffi();
    const madvise = koffi.load('libc.so.6').func('madvise', 'int', ['uintptr_t', 'size_t', 'int']);
    return madvise(koffi.address(memory), sizeBytes, MADV_HUGEPAGE) === 0;
  } catch {
    return false;
  }
}

// Not before: loading what asks takes as long as touching some 300 pages of 4 KiB.
whenManyPages(adviseHugePages);
