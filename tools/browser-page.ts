/** A page in headless Chromium that is served from this process, over loopback. */
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];

/** It has no business on the network, nor with whatever profile there is. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SCRIPT = 'page.js';
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/${SCRIPT}"></script>`;

/** The first of the known commands that PATH has; null when none is installed. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command))).find(canRun);
  return found ?? null;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface ServedPage {
  readonly page: Page;
  /** Chromium's version. */
  readonly version: string;
  close(): Promise<void>;
}

/**
 * Serves files and opens a page that runs the one named `page.js`, in a new profile.
 * @throws (rejects) when Chromium does not start, or the script does not run to its end
 */
export async function openPage(
  executablePath: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<ServedPage> {
  const server = createServer(({ url = '/' }, response) => {
    const path = url.slice(1);
    const body = path === '' ? PAGE : files.get(path);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': contentType(path) }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath, args: FLAGS }).catch((reason) => {
    server.close();
    throw reason;
  });
  const close = async (): Promise<void> => {
    await browser.close();
    server.close();
  };
  try {
    const page = await browser.newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    if (errors.length > 0) throw errors[0];
    return { page, version: browser.version(), close };
  } catch (reason) {
    await close();
    throw reason;
  }
}

function contentType(path: string): string {
  if (path === '') return 'text/html';
  return path.endsWith('.js') ? 'text/javascript' : 'application/octet-stream';
}
