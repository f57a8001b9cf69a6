import type { Handlers } from './dispatch.js';

export const vmoCalls: Handlers = {};
