// Computes floating-point vectors on a RISC-V processor (or emulator). Each input line is
// `operation rm a b c`, numbers in hex without 0x; each output line is `result fflags`, likewise.
// Operations have the names of src/cpu/softfloat.ts. Results are the destination register's 64 bits,
// of which a binary32 value has the low 32.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// Operands are in both register files, whichever the instruction wants: ft0-ft2 and t0.
#define RUN(instruction, take)                                                        \
  do {                                                                                \
    __asm__ volatile(                                                                 \
        "mv t0, %[a]\n fmv." WIDTH ".x ft0, %[a]\n fmv." WIDTH ".x ft1, %[b]\n"       \
        "fmv." WIDTH ".x ft2, %[c]\n fsrm %[rm]\n fsflags zero\n" instruction "\n"    \
        "frflags %[flags]\n" take                                                     \
        : [result] "=&r"(result), [flags] "=&r"(flags)                                \
        : [a] "r"(a), [b] "r"(b), [c] "r"(c), [rm] "r"(rm)                            \
        : "t0", "ft0", "ft1", "ft2", "ft3");                                          \
    printf("%" PRIx64 " %" PRIx64 "\n", result, flags);                               \
    return 1;                                                                         \
  } while (0)

#define FLOAT(name, instruction) \
  if (strcmp(operation, PREFIX name) == 0) RUN(instruction, "fmv.x." WIDTH " %[result], ft3")
#define INTEGER(name, instruction) \
  if (strcmp(operation, PREFIX name) == 0) RUN(instruction, "mv %[result], t0")

#define ALL(s)                                             \
  FLOAT("Add", "fadd." s " ft3, ft0, ft1");                \
  FLOAT("Sub", "fsub." s " ft3, ft0, ft1");                \
  FLOAT("Mul", "fmul." s " ft3, ft0, ft1");                \
  FLOAT("Div", "fdiv." s " ft3, ft0, ft1");                \
  FLOAT("Min", "fmin." s " ft3, ft0, ft1");                \
  FLOAT("Max", "fmax." s " ft3, ft0, ft1");                \
  FLOAT("Sqrt", "fsqrt." s " ft3, ft0");                   \
  FLOAT("MulAdd", "fmadd." s " ft3, ft0, ft1, ft2");       \
  INTEGER("Eq", "feq." s " t0, ft0, ft1");                 \
  INTEGER("Lt", "flt." s " t0, ft0, ft1");                 \
  INTEGER("Le", "fle." s " t0, ft0, ft1");                 \
  INTEGER("Classify", "fclass." s " t0, ft0");             \
  INTEGER("ToI32", "fcvt.w." s " t0, ft0, dyn");           \
  INTEGER("ToU32", "fcvt.wu." s " t0, ft0, dyn");          \
  INTEGER("ToI64", "fcvt.l." s " t0, ft0, dyn");           \
  INTEGER("ToU64", "fcvt.lu." s " t0, ft0, dyn");          \
  FLOAT("FromI32", "fcvt." s ".w ft3, t0");                \
  FLOAT("FromU32", "fcvt." s ".wu ft3, t0");               \
  FLOAT("FromI64", "fcvt." s ".l ft3, t0");                \
  FLOAT("FromU64", "fcvt." s ".lu ft3, t0")

static int single(const char *operation, uint64_t rm, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t result, flags;
#define PREFIX "f32"
#define WIDTH "w"
  ALL("s");
  if (strcmp(operation, "f32ToF64") == 0) RUN("fcvt.d.s ft3, ft0", "fmv.x.d %[result], ft3");
  return 0;
#undef PREFIX
#undef WIDTH
}

static int twice(const char *operation, uint64_t rm, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t result, flags;
#define PREFIX "f64"
#define WIDTH "d"
  ALL("d");
  if (strcmp(operation, "f64ToF32") == 0) RUN("fcvt.s.d ft3, ft0", "fmv.x.w %[result], ft3");
  return 0;
}

int main(void) {
  char operation[32];
  uint64_t rm, a, b, c;
  while (scanf("%31s %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, operation, &rm, &a, &b, &c) == 5) {
    if (!single(operation, rm, a, b, c) && !twice(operation, rm, a, b, c)) {
      fprintf(stderr, "unknown operation %s\n", operation);
      return 1;
    }
  }
  return 0;
}
