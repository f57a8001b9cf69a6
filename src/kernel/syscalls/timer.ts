import type { Handlers } from './dispatch.js';

export const timerCalls: Handlers = {};
