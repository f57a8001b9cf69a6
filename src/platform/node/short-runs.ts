import { setV8Flag } from './v8-flags.js';

/**
 * For a process that is the command alone: V8 11.3 optimises JavaScript four times later than as a rule, which was a
 * fifth of a short run's processor time. It collects young objects on one thread: to wake others takes longer than the
 * megabyte that there is of them at the start, of which three quarters stay. Kept code must be made and read with the
 * same flags.
 */
setV8Flag('--interrupt-budget=250000');
setV8Flag('--no-parallel-scavenge');
