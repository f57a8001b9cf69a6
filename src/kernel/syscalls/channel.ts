import type { Handlers } from './dispatch.js';

export const channelCalls: Handlers = {};
