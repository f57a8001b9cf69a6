// Job policy as Magenta had it (August 2017).
#pragma once
#include <stdint.h>

// Options of mx_job_set_policy.
#define MX_JOB_POL_RELATIVE 0u
#define MX_JOB_POL_ABSOLUTE 1u

// Its topic, and what its array holds.
#define MX_JOB_POL_BASIC 0u
typedef struct mx_policy_basic {
  uint32_t condition;
  uint32_t policy;
} mx_policy_basic_t;

#define MX_POL_BAD_HANDLE 0u
#define MX_POL_WRONG_OBJECT 1u
#define MX_POL_VMAR_WX 2u
#define MX_POL_NEW_ANY 3u
#define MX_POL_NEW_VMO 4u
#define MX_POL_NEW_CHANNEL 5u
#define MX_POL_NEW_EVENT 6u
#define MX_POL_NEW_EVPAIR 7u
#define MX_POL_NEW_PORT 8u
#define MX_POL_NEW_SOCKET 9u
#define MX_POL_NEW_FIFO 10u
#define MX_POL_NEW_TIMER 11u
#define MX_POL_MAX 12u

// Bits: ALLOW or DENY, either with EXCEPTION. KILL denies too.
#define MX_POL_ACTION_ALLOW 0u
#define MX_POL_ACTION_DENY 1u
#define MX_POL_ACTION_EXCEPTION 2u
#define MX_POL_ACTION_KILL 5u
