import { readFileSync } from 'node:fs';
import test from 'ava';
import { checkClosedCore } from './closed-core.js';
import { checkFileNames, checkLayout, checkLock, checkPackages } from './layout.js';
import { checkDeadExports, checkDeadFiles, entryPoints } from './reach.js';
import { checkImportDirection } from './rooms.js';
import { checkSize } from './size.js';
import { describe, ROOT, readProject, topLevelNames } from './source.js';
import { checkText } from './text.js';

const project = readProject();
const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
const entries = entryPoints(manifest);

test('the project is there to be checked', (t) => {
  t.true(project.filter(({ path }) => path.startsWith('src/')).length > 50);
});

test('the top level is the agreed layout', (t) => {
  t.deepEqual(describe(checkLayout(topLevelNames())), []);
});

test('file names are in kebab-case', (t) => {
  t.deepEqual(describe(checkFileNames(project)), []);
});

test('packages are declared where they are used', (t) => {
  t.deepEqual(describe(checkPackages(project, manifest)), []);
});

test('the lock file lets every platform install', (t) => {
  const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8'));
  t.deepEqual(describe(checkLock(lock)), []);
});

test('imports go one way', (t) => {
  t.deepEqual(describe(checkImportDirection(project)), []);
});

test('below the platform nothing reads the host', (t) => {
  t.deepEqual(describe(checkClosedCore(project)), []);
});

test('files and functions can be read at once', (t) => {
  t.deepEqual(describe(checkSize(project)), []);
});

test('no leftovers in any text file', (t) => {
  t.deepEqual(describe(checkText(project)), []);
});

test('every file of src is reached', (t) => {
  t.deepEqual(describe(checkDeadFiles(project, entries)), []);
});

test('every export of src is used', (t) => {
  t.deepEqual(describe(checkDeadExports(project, entries)), []);
});
