import type { Handlers } from './dispatch.js';

export const infoCalls: Handlers = {};
