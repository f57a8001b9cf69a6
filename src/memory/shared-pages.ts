import type { Digest } from '../base/digest.js';
import { Page } from './page.js';

/** Pages that are kept, at most: 4 MiB of programs. */
export const MAX_SHARED_PAGES = 1024;

/** In the order in which they were asked for last. */
const known = new Map<Digest, Page>();

/**
 * A page with these bytes, which nobody may write: the same one for all machines of this process, as long as it is
 * remembered. So what engines made of a program's code is there for its next run.
 */
export function sharedPage(bytes: Uint8Array): Page {
  const page = Page.zeroed(null);
  page.bytes.set(bytes);
  const digest = page.digest();
  const same = known.get(digest);
  // Digests tell pages apart that nobody made to look alike.
  const found = same?.hasBytesOf(page) === true ? same : page;
  known.delete(digest);
  known.set(digest, found);
  if (known.size > MAX_SHARED_PAGES) known.delete(known.keys().next().value!);
  return found;
}
