import type { Handlers } from './dispatch.js';

export const vmarCalls: Handlers = {};
