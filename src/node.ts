/** Files for the library: programs and recordings on disk. */
import './platform/node/huge-pages.js';
import './platform/node/wasm-features.js';

export { readProgramFile } from './platform/node/program-file.js';
export { RecordingFile, RecordingFileSink } from './platform/node/recording-file.js';
