import test from 'ava';
import { CORE_CALLS, loadCases, survey } from './survey.js';

await loadCases();

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
