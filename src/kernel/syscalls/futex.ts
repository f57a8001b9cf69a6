import type { Handlers } from './dispatch.js';

export const futexCalls: Handlers = {};
