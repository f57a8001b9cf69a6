import type { Handlers } from './dispatch.js';

export const taskCalls: Handlers = {};
