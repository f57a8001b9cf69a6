import type { Handlers } from './dispatch.js';

export const systemCalls: Handlers = {};
