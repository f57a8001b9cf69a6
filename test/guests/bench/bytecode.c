// Two interpreters of one bytecode, a switch in a loop and computed gotos, run the same program: Collatz sequences
// whose lengths are summed. Their answers must agree.
//
// Argument: starting numbers.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { STARTS = 150 };

enum operation { SET, MOVE, ADD, MULTIPLY, SHIFT, AND, LESS, JUMP, UNLESS, HALT };

struct instruction {
  uint8_t operation;
  uint8_t to;
  uint8_t left;
  uint8_t right;
};

enum { VALUE, LENGTH, NEXT, SUM, END, ONE, THREE, TEST, REGISTERS };

// The left operand of SET is a number, that of JUMP and UNLESS an index of this array.
static const struct instruction program[] = {
    /*  0 */ {LESS, TEST, NEXT, END},
    /*  1 */ {UNLESS, TEST, 17, 0},
    /*  2 */ {MOVE, VALUE, NEXT, 0},
    /*  3 */ {SET, LENGTH, 0, 0},
    /*  4 */ {LESS, TEST, ONE, VALUE},
    /*  5 */ {UNLESS, TEST, 14, 0},
    /*  6 */ {AND, TEST, VALUE, ONE},
    /*  7 */ {UNLESS, TEST, 11, 0},
    /*  8 */ {MULTIPLY, VALUE, VALUE, THREE},
    /*  9 */ {ADD, VALUE, VALUE, ONE},
    /* 10 */ {JUMP, 0, 12, 0},
    /* 11 */ {SHIFT, VALUE, VALUE, ONE},
    /* 12 */ {ADD, LENGTH, LENGTH, ONE},
    /* 13 */ {JUMP, 0, 4, 0},
    /* 14 */ {ADD, SUM, SUM, LENGTH},
    /* 15 */ {ADD, NEXT, NEXT, ONE},
    /* 16 */ {JUMP, 0, 0, 0},
    /* 17 */ {HALT, 0, 0, 0},
};

__attribute__((noinline)) static void run_switch(uint64_t *r, const struct instruction *code) {
  for (const struct instruction *at = code;; at++) {
    switch ((enum operation)at->operation) {
      case SET: r[at->to] = at->left; break;
      case MOVE: r[at->to] = r[at->left]; break;
      case ADD: r[at->to] = r[at->left] + r[at->right]; break;
      case MULTIPLY: r[at->to] = r[at->left] * r[at->right]; break;
      case SHIFT: r[at->to] = r[at->left] >> r[at->right]; break;
      case AND: r[at->to] = r[at->left] & r[at->right]; break;
      case LESS: r[at->to] = r[at->left] < r[at->right]; break;
      case JUMP: at = code + at->left - 1; break;
      case UNLESS:
        if (r[at->to] == 0) at = code + at->left - 1;
        break;
      case HALT: return;
    }
  }
}

__attribute__((noinline)) static void run_goto(uint64_t *r, const struct instruction *code) {
  static const void *const labels[] = {&&set,  &&move, &&add,    &&multiply, &&shift, &&and,
                                       &&less, &&jump, &&unless, &&halt};
  const struct instruction *at = code;
  goto *labels[at->operation];
set:
  r[at->to] = at->left;
  at++;
  goto *labels[at->operation];
move:
  r[at->to] = r[at->left];
  at++;
  goto *labels[at->operation];
add:
  r[at->to] = r[at->left] + r[at->right];
  at++;
  goto *labels[at->operation];
multiply:
  r[at->to] = r[at->left] * r[at->right];
  at++;
  goto *labels[at->operation];
shift:
  r[at->to] = r[at->left] >> r[at->right];
  at++;
  goto *labels[at->operation];
and:
  r[at->to] = r[at->left] & r[at->right];
  at++;
  goto *labels[at->operation];
less:
  r[at->to] = r[at->left] < r[at->right];
  at++;
  goto *labels[at->operation];
jump:
  at = code + at->left;
  goto *labels[at->operation];
unless:
  at = r[at->to] == 0 ? code + at->left : at + 1;
  goto *labels[at->operation];
halt:
  return;
}

int main(int argc, char **argv) {
  const uint64_t starts = argc > 1 ? strtoul(argv[1], NULL, 10) : STARTS;
  uint64_t sums[2];
  for (int way = 0; way < 2; way++) {
    uint64_t registers[REGISTERS] = {[NEXT] = 1, [END] = starts + 1, [ONE] = 1, [THREE] = 3};
    if (way == 0) run_switch(registers, program);
    else run_goto(registers, program);
    sums[way] = registers[SUM];
  }
  printf("%lu\n", (unsigned long)sums[0]);
  return sums[0] == sums[1] ? 0 : 1;
}
