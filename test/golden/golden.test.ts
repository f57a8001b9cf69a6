import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { stateHash } from '../../src/kernel/objects/state-hash.js';
import { exitStatus } from '../../src/machine/exit-status.js';
import { bytesSource } from '../../src/recording/format/byte-source.js';
import { Recording } from '../../src/recording/format/reader.js';
import { Player } from '../../src/recording/player.js';

const FOLDER = 'recordings';

interface Golden {
  readonly name: string;
  readonly guest: string;
  readonly args: readonly string[];
  readonly cores: number;
  readonly seed: number;
  readonly exitCode: number;
  readonly steps: number;
  readonly events: number;
  readonly stateHash: string;
  readonly eventHash: string;
}

const golden = JSON.parse(readFileSync(join(FOLDER, 'golden.json'), 'utf8')) as readonly Golden[];

test('every recording that is kept is told of, and every one told of is kept', (t) => {
  const kept = readdirSync(FOLDER).filter((name) => name.endsWith('.jacinth'));
  t.deepEqual(kept.sort(), golden.map(({ name }) => `${name}.jacinth`).sort());
  t.true(kept.length >= 5);
});

for (const expected of golden) {
  test(`${expected.name} replays to what it was`, (t) => {
    const bytes = new Uint8Array(readFileSync(join(FOLDER, `${expected.name}.jacinth`)));
    const recording = Recording.open(bytesSource(bytes));
    t.true(recording.complete);
    const { header, end } = recording;
    t.is(header.machine.seed, expected.seed);
    t.is(header.machine.cores, expected.cores);
    t.deepEqual(header.arguments, [expected.guest, ...expected.args]);
    const { exitCode, steps, events, stateHash: state, eventHash } = expected;
    t.like(end, { exitCode, steps, events, stateHash: state, eventHash });
    const player = new Player(recording);
    while (!player.atEnd) t.true(player.command());
    const { k } = player.machine;
    t.is(exitStatus(k.state.halt!), exitCode);
    t.is(k.state.steps, steps);
    t.is(k.state.seq, events);
    t.is(player.machine.eventHash(), eventHash);
    t.is(stateHash(k.snapshot()), state);
  });
}
