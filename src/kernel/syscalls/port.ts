import type { Handlers } from './dispatch.js';

export const portCalls: Handlers = {};
