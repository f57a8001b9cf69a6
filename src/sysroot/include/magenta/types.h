// Types and values of Magenta (August 2017), for programs of the vintage `magenta`: those that its calls here take.
#pragma once
#include <magenta/errors.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t mx_handle_t;
typedef int32_t mx_status_t;
typedef uint32_t mx_rights_t;
typedef uint32_t mx_signals_t;
typedef uint64_t mx_koid_t;
typedef atomic_int mx_futex_t;

#define MX_HANDLE_INVALID ((mx_handle_t)0)

// Nanoseconds, without a sign.
typedef uint64_t mx_time_t;
typedef uint64_t mx_duration_t;
#define MX_TIME_INFINITE UINT64_MAX
#define MX_USEC(n) ((mx_duration_t)(n) * 1000u)
#define MX_MSEC(n) ((mx_duration_t)(n) * 1000000u)
#define MX_SEC(n) ((mx_duration_t)(n) * 1000000000u)
#define MX_CLOCK_MONOTONIC 0u

typedef struct {
  mx_handle_t handle;
  mx_signals_t waitfor;
  mx_signals_t pending;
} mx_wait_item_t;

// Not those of jobs, whose MX_JOB_NO_PROCESSES had the bit that says now that the job is no more.
#define MX_SIGNAL_HANDLE_CLOSED (1u << 23)
#define MX_USER_SIGNAL_0 (1u << 24)
#define MX_USER_SIGNAL_ALL 0xff000000u
#define MX_EVENT_SIGNALED (1u << 3)
#define MX_EPAIR_SIGNALED (1u << 3)
#define MX_EPAIR_PEER_CLOSED (1u << 2)
#define MX_CHANNEL_READABLE (1u << 0)
#define MX_CHANNEL_WRITABLE (1u << 1)
#define MX_CHANNEL_PEER_CLOSED (1u << 2)
#define MX_SOCKET_READABLE (1u << 0)
#define MX_SOCKET_WRITABLE (1u << 1)
#define MX_SOCKET_PEER_CLOSED (1u << 2)
#define MX_FIFO_READABLE (1u << 0)
#define MX_FIFO_WRITABLE (1u << 1)
#define MX_FIFO_PEER_CLOSED (1u << 2)
#define MX_TASK_TERMINATED (1u << 3)
#define MX_PROCESS_TERMINATED MX_TASK_TERMINATED
#define MX_THREAD_TERMINATED MX_TASK_TERMINATED
#define MX_TIMER_SIGNALED (1u << 3)

// Only MX_RIGHT_READ let one wait, then.
#define MX_RIGHT_NONE 0u
#define MX_RIGHT_DUPLICATE (1u << 0)
#define MX_RIGHT_TRANSFER (1u << 1)
#define MX_RIGHT_READ (1u << 2)
#define MX_RIGHT_WRITE (1u << 3)
#define MX_RIGHT_EXECUTE (1u << 4)
#define MX_RIGHT_MAP (1u << 5)
#define MX_RIGHT_GET_PROPERTY (1u << 6)
#define MX_RIGHT_SET_PROPERTY (1u << 7)
#define MX_RIGHT_ENUMERATE (1u << 8)
#define MX_RIGHT_DESTROY (1u << 9)
#define MX_RIGHT_SET_POLICY (1u << 10)
#define MX_RIGHT_GET_POLICY (1u << 11)
#define MX_RIGHT_SIGNAL (1u << 12)
#define MX_RIGHT_SIGNAL_PEER (1u << 13)
#define MX_RIGHT_SAME_RIGHTS (1u << 31)

#define MX_VMO_OP_COMMIT 1u
#define MX_VMO_OP_DECOMMIT 2u
#define MX_VMO_OP_CACHE_SYNC 6u
#define MX_VMO_OP_CACHE_INVALIDATE 7u
#define MX_VMO_OP_CACHE_CLEAN 8u
#define MX_VMO_OP_CACHE_CLEAN_INVALIDATE 9u
#define MX_VMO_CLONE_COPY_ON_WRITE 1u

#define MX_VM_FLAG_PERM_READ (1u << 0)
#define MX_VM_FLAG_PERM_WRITE (1u << 1)
#define MX_VM_FLAG_PERM_EXECUTE (1u << 2)
#define MX_VM_FLAG_COMPACT (1u << 3)
#define MX_VM_FLAG_SPECIFIC (1u << 4)
#define MX_VM_FLAG_SPECIFIC_OVERWRITE (1u << 5)
#define MX_VM_FLAG_CAN_MAP_SPECIFIC (1u << 6)
#define MX_VM_FLAG_CAN_MAP_READ (1u << 7)
#define MX_VM_FLAG_CAN_MAP_WRITE (1u << 8)
#define MX_VM_FLAG_CAN_MAP_EXECUTE (1u << 9)
#define MX_VM_FLAG_MAP_RANGE (1u << 10)

#define MX_CHANNEL_READ_MAY_DISCARD 1u
#define MX_SOCKET_STREAM 0u
#define MX_SOCKET_DATAGRAM 1u
#define MX_TIMER_SLACK_CENTER 0u
#define MX_TIMER_SLACK_EARLY 1u
#define MX_TIMER_SLACK_LATE 2u
