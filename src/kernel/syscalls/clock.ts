import type { Handlers } from './dispatch.js';

export const clockCalls: Handlers = {};
