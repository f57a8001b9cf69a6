import { Right } from '../../../src/abi/rights.js';
import { NO_HANDLE, NOWHERE, newEvent, withRights, words } from '../../kernel/ipc-support.js';
import { cause, valid } from '../causes.js';

valid('zx_handle_close', (h) => [newEvent(h)]);
cause('zx_handle_close', 'ERR_BAD_HANDLE', 'nonzero value not in table', (h) => {
  const event = newEvent(h);
  h.call('zx_handle_close', [event]);
  return h.call('zx_handle_close', [event]);
});

valid('zx_handle_close_many', (h) => [h.scratch(words(newEvent(h), newEvent(h))), 2]);
cause(
  'zx_handle_close_many',
  'ERR_BAD_HANDLE',
  'some entry invalid or repeated (the valid ones are still closed)',
  (h) => {
    const event = newEvent(h);
    return h.call('zx_handle_close_many', [h.scratch(words(event, event)), 2]);
  },
);
cause('zx_handle_close_many', 'ERR_INVALID_ARGS', 'bad array pointer', (h) =>
  h.call('zx_handle_close_many', [NOWHERE, 1]),
);

cause('zx_handle_check_valid', 'ERR_INVALID_ARGS', 'value is 0', (h) => h.call('zx_handle_check_valid', [0]));
cause('zx_handle_check_valid', 'ERR_OUT_OF_RANGE', 'low two bits not both set', (h) =>
  h.call('zx_handle_check_valid', [newEvent(h) & ~1]),
);
cause('zx_handle_check_valid', 'ERR_NOT_FOUND', 'well-formed, not in table', (h) =>
  h.call('zx_handle_check_valid', [NO_HANDLE]),
);

valid('zx_handle_duplicate', (h) => [newEvent(h), Right.SAME_RIGHTS, h.scratch(4)]);
cause('zx_handle_duplicate', 'ERR_INVALID_ARGS', 'rights not a subset or bad out', (h) =>
  h.call('zx_handle_duplicate', [newEvent(h), Right.READ, h.scratch(4)]),
);
cause('zx_handle_duplicate', 'ERR_INVALID_ARGS', 'rights not a subset or bad out', (h) =>
  h.call('zx_handle_duplicate', [newEvent(h), Right.SAME_RIGHTS, NOWHERE]),
);
cause(
  'zx_handle_duplicate',
  'ERR_ACCESS_DENIED',
  'source lacks DUPLICATE (checked before the subset test)',
  (h) => h.call('zx_handle_duplicate', [withRights(h, newEvent(h), Right.WAIT), Right.READ, h.scratch(4)]),
);

valid('zx_handle_replace', (h) => [newEvent(h), Right.SAME_RIGHTS, h.scratch(4)]);
cause(
  'zx_handle_replace',
  'ERR_INVALID_ARGS',
  'rights not a subset (source is still closed) or bad out',
  (h) => h.call('zx_handle_replace', [newEvent(h), Right.READ, h.scratch(4)]),
);
cause(
  'zx_handle_replace',
  'ERR_INVALID_ARGS',
  'rights not a subset (source is still closed) or bad out',
  (h) => h.call('zx_handle_replace', [newEvent(h), Right.SAME_RIGHTS, NOWHERE]),
);
