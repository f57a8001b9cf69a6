import { Status } from '../../abi/status.js';
import type { Handlers } from './dispatch.js';
import { refuse } from './refusal.js';

export const profileCalls: Handlers = {
  // The profile is looked at before the thread or VMAR (syscalls/object_set_profile). Making one needs a resource, and
  // there are none, so that no handle is a profile's.
  zx_object_set_profile: (call, { profile, options }) => {
    call.allowOptions(options);
    call.lookup(profile);
    return refuse(Status.ERR_WRONG_TYPE);
  },
};
