// What runner.c and hosted.S agree on.
#ifndef HOSTED_H
#define HOSTED_H

// Where the program's bytes go, and the size of its stack.
#define HOSTED_ADDRESS 0x400000
#define HOSTED_STACK_SIZE 0x4000

// System calls: number in a7, arguments in a0 and a1, result in a0. Exit and write have the numbers that Linux gives
// them on riscv64; to Zircon a number in restricted mode is a register like any other.
#define HOSTED_WRITE 64
#define HOSTED_EXIT 93
#define HOSTED_NEW_PAGE 1000
#define HOSTED_WILL_SPIN 1001

#endif
