import { VINTAGES } from '../abi/vintage.js';
import { BOOTSTRAP_VERSION } from '../loader/bootstrap.js';
import { MAX_PHYSICAL_PAGES, MAX_QUANTUM_STEPS, type RunSpec, type Strategy } from '../loader/launch.js';
import { VERSION } from '../version.js';
import { blobDigest } from './format/blobs.js';
import type { RecordingHeader } from './format/header.js';
import type { Recording } from './format/reader.js';
import { RecordingError } from './format/recording-error.js';

export type Detail = 'essential' | 'full';

/** The header of a recording of that run. */
export function headerOf(spec: RunSpec, detail: Detail): RecordingHeader {
  const { program } = spec;
  const programs = [...(spec.programs?.names ?? [])];
  return {
    jacinth: VERSION,
    abi: spec.vintage,
    arch: 'riscv64',
    bootstrap: BOOTSTRAP_VERSION,
    machine: {
      cores: spec.cores,
      quantum: spec.quantumSteps,
      strategy: spec.strategy,
      seed: spec.seed,
      entropySeed: spec.entropySeed,
      detail,
      maxSteps: Number.isFinite(spec.maxSteps) ? spec.maxSteps : null,
      physicalPages: spec.physicalPages,
      aslr: spec.aslr,
    },
    images: [{ name: program.name, digest: blobDigest(program.bytes), sizeBytes: program.bytes.length }],
    arguments: [...program.args],
    environment: [...program.environ],
    // A recording cannot hold them, so it says which to bring.
    ...(programs.length === 0 ? {} : { programs }),
  };
}

/**
 * The run that a recording is of.
 * @throws RecordingError when this Jacinth cannot run it
 */
export function specOf(recording: Recording): RunSpec {
  const { header } = recording;
  const refuse = (what: string): never => {
    throw new RecordingError('version', what, null, 'use the Jacinth that made it');
  };
  if (header.checkpointsOf !== undefined)
    throw new RecordingError('foreign', 'these are checkpoints of a recording', null, 'give the recording');
  if (header.arch !== 'riscv64')
    refuse(`the recording is of a ${header.arch} machine, this Jacinth has riscv64`);
  if (header.bootstrap !== BOOTSTRAP_VERSION)
    refuse(`the recording starts programs in way ${String(header.bootstrap)}`);
  const vintage =
    VINTAGES.find((name) => name === header.abi) ??
    refuse(`the recording is of an unknown ABI, ${header.abi}`);
  const { machine } = header;
  const physicalPages = Number(machine.physicalPages);
  const impossible =
    !Number.isSafeInteger(physicalPages) ||
    physicalPages < 1 ||
    physicalPages > MAX_PHYSICAL_PAGES ||
    machine.quantum > MAX_QUANTUM_STEPS;
  if (impossible) refuse('the recording has a machine of an impossible size');
  const image = header.images[0];
  const bytes = image === undefined ? null : recording.blob('images', image.digest);
  if (image === undefined || bytes === null) {
    throw new RecordingError('damaged', "the recording lacks its program's image", null, 'record again');
  }
  return {
    program: { name: image.name, bytes, args: header.arguments, environ: header.environment },
    cores: machine.cores,
    quantumSteps: machine.quantum,
    strategy: machine.strategy as Strategy,
    seed: machine.seed,
    entropySeed: machine.entropySeed,
    maxSteps: machine.maxSteps ?? Number.POSITIVE_INFINITY,
    physicalPages,
    vintage,
    aslr: machine.aslr === true,
    programs: recording.programs,
  };
}

/**
 * Asks that the programs in TypeScript that a recording names were brought along.
 * @throws RecordingError
 */
export function requirePrograms({ header, programs }: Recording): void {
  const named: readonly unknown[] = Array.isArray(header.programs) ? header.programs : [];
  const missing = named.find((name) => typeof name !== 'string' || !programs?.names.includes(name));
  if (missing === undefined) return;
  throw new RecordingError(
    'version',
    `the recording is of the TypeScript program ${JSON.stringify(missing)}`,
    null,
    'give it again: replay(recording, { programs })',
  );
}
