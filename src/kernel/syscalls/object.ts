import type { Handlers } from './dispatch.js';

export const objectCalls: Handlers = {};
