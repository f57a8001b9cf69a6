// The program that runner.c runs in restricted mode. It knows nothing of Zircon: its system calls are an ecall with
// a number in a7 and arguments in a0 and a1, and what they mean is the runner's business. It is copied to address
// HOSTED_ADDRESS of its process's own half of the address space; the stack pointer is all that it is given.
#include "hosted.h"

  // Else the linker names the object after a file of the compiler's that has another name each time.
  .file "hosted.S"

  .section hosted, "a", @progbits
  .option norvc
  .option norelax
  .balign 4

  .macro system_call number
  li a7, \number
  ecall
  .endm

  .macro say text, size
  lla a0, \text
  li a1, \size
  system_call HOSTED_WRITE
  .endm

hello: .ascii "hello from restricted mode\n"
  .equ hello_size, . - hello
from_page: .ascii "this text was copied through a page of its own\n"
  .equ from_page_size, . - from_page
survived: .ascii "still running\n"
  .equ survived_size, . - survived
stopped: .ascii "the loop is over\n"
  .equ stopped_size, . - stopped

  .balign 4
  .globl hosted_entry
hosted_entry:
  say hello, hello_size

  // Memory of its own: the address of a fresh page comes back in a0.
  system_call HOSTED_NEW_PAGE
  mv s1, a0
  lla t0, from_page
  li t1, from_page_size
  mv t2, s1
copy:
  lb t3, 0(t0)
  sb t3, 0(t2)
  addi t0, t0, 1
  addi t2, t2, 1
  addi t1, t1, -1
  bnez t1, copy
  mv a0, s1
  li a1, from_page_size
  system_call HOSTED_WRITE

  // Two faults. The runner steps over instructions that fail.
  lb t0, 0(zero)
  unimp
  say survived, survived_size

  // The runner does not answer this one at once: somebody will kick the thread out of this loop, and the runner
  // then says so in s2.
  li s2, 0
  system_call HOSTED_WILL_SPIN
spin:
  beqz s2, spin
  say stopped, stopped_size

  li a0, 7
  system_call HOSTED_EXIT

  .section .note.GNU-stack, "", @progbits
