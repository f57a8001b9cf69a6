import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { CORE_CALLS, survey } from './survey.js';

test('no file of cases is left out', (t) => {
  const folder = new URL('../../../test/conformance/cases/', import.meta.url);
  const index = readFileSync(new URL('index.ts', folder), 'utf8');
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts');
  t.deepEqual(
    files.filter((name) => !index.includes(`'./${name.replace('.ts', '.js')}'`)),
    [],
  );
});

for (const call of CORE_CALLS) {
  test(`${call.name} gives each status that its table entry names`, (t) => {
    const { built, causes, invalid } = survey(call);
    const complaints = causes
      .filter(({ verdict }) => verdict === 'missing' || verdict === 'wrong')
      .map(({ status, cause, verdict, detail }) => `${status} '${cause}': ${verdict} ${detail}`);
    if (invalid !== null) complaints.push(`with valid arguments it gave ${invalid}`);
    if (!built) complaints.push('it is not built');
    t.deepEqual(complaints, []);
  });
}
