// First instructions of a process and of a thread.
//
// The kernel starts the first thread with a0 = bootstrap channel, a1 = address of the vDSO, sp = top of the stack,
// and everything else zero; gp and tp are ours to set. Both entries push a frame of two zeros, where a walker of
// frame pointers stops.

  .macro first_frame
  .option push
  .option norelax
  .weak __global_pointer$
  lla gp, __global_pointer$
  .option pop
  andi sp, sp, -16
  addi sp, sp, -16
  sd zero, 8(sp)
  sd zero, 0(sp)
  addi s0, sp, 16
  .endm

  .section .text._start, "ax", @progbits
  .globl _start
  .type _start, @function
_start:
  first_frame
  call __process_main
  unimp
  .size _start, . - _start

// a0 = the thread's tp.
  .section .text.__thread_start, "ax", @progbits
  .globl __thread_start
  .hidden __thread_start
  .type __thread_start, @function
__thread_start:
  first_frame
  mv tp, a0
  call __thread_main
  unimp
  .size __thread_start, . - __thread_start

  .section .note.GNU-stack, "", @progbits
