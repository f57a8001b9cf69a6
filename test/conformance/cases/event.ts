import { NOWHERE } from '../../kernel/ipc-support.js';
import { cause, valid } from '../causes.js';

valid('zx_event_create', (h) => [0, h.scratch(4)]);
cause('zx_event_create', 'ERR_INVALID_ARGS', 'options nonzero or bad out', (h) =>
  h.call('zx_event_create', [1, h.scratch(4)]),
);
cause('zx_event_create', 'ERR_INVALID_ARGS', 'options nonzero or bad out', (h) =>
  h.call('zx_event_create', [0, NOWHERE]),
);

valid('zx_eventpair_create', (h) => [0, h.scratch(4), h.scratch(4)]);
cause('zx_eventpair_create', 'ERR_NOT_SUPPORTED', 'options nonzero (not INVALID_ARGS)', (h) =>
  h.call('zx_eventpair_create', [1, h.scratch(4), h.scratch(4)]),
);
cause('zx_eventpair_create', 'ERR_INVALID_ARGS', 'bad out', (h) =>
  h.call('zx_eventpair_create', [0, NOWHERE, h.scratch(4)]),
);
cause('zx_eventpair_create', 'ERR_INVALID_ARGS', 'bad out', (h) =>
  h.call('zx_eventpair_create', [0, h.scratch(4), NOWHERE]),
);
