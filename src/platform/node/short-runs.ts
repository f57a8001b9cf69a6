import { setFlagsFromString } from 'node:v8';

/**
 * For a process that is the command alone: V8 11.3, of Node 20, optimises JavaScript four times later than as a rule,
 * which was a fifth of a short run's processor time. Kept code must be made and read with the same flags.
 */
if (process.versions.v8.startsWith('11.3.')) setFlagsFromString('--interrupt-budget=250000');
