/** Puts `jacinth` into a clone's node_modules/.bin: npm links a package's own command only where it is installed. */
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const folder = join(root, 'node_modules', '.bin');
mkdirSync(folder, { recursive: true });
chmodSync(join(root, '.build', 'src', 'cli', 'main.cjs'), 0o755);
rmSync(join(folder, 'jacinth'), { force: true });
symlinkSync(join('..', '..', '.build', 'src', 'cli', 'main.cjs'), join(folder, 'jacinth'));
