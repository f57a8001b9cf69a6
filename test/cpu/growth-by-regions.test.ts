import test from 'ava';
import { growInFirstStores, storePastTheFirst } from './growth.js';

test.serial('the memory grows while the first stores go on, of which few are asked for', (t) => {
  growInFirstStores(t, 'auto');
});

test.serial('after the memory grew, all engines have the same pages', (t) => {
  storePastTheFirst(t, 'auto');
});
