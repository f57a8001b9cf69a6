// zx_restricted_enter never returns: the thread comes back at a vector, with a context value in a0, the reason in a1
// and zeros everywhere else. Here the context is a stack pointer, under which everything that a C function must
// keep was saved before, floating point too: restricted mode has the same f registers.

#define FRAME 256
#define FLOATS 0

  .macro each_kept op
  \op gp, 8(sp)
  \op tp, 16(sp)
  \op s1, 24(sp)
  \op s2, 32(sp)
  \op s3, 40(sp)
  \op s4, 48(sp)
  \op s5, 56(sp)
  \op s6, 64(sp)
  \op s7, 72(sp)
  \op s8, 80(sp)
  \op s9, 88(sp)
  \op s10, 96(sp)
  \op s11, 104(sp)
  .endm

  .macro each_kept_float op
  \op fs0, 112(sp)
  \op fs1, 120(sp)
  \op fs2, 128(sp)
  \op fs3, 136(sp)
  \op fs4, 144(sp)
  \op fs5, 152(sp)
  \op fs6, 160(sp)
  \op fs7, 168(sp)
  \op fs8, 176(sp)
  \op fs9, 184(sp)
  \op fs10, 192(sp)
  \op fs11, 200(sp)
  .endm

#define FCSR 208

  .macro each_float op, base
  \op f0, 0(\base)
  \op f1, 8(\base)
  \op f2, 16(\base)
  \op f3, 24(\base)
  \op f4, 32(\base)
  \op f5, 40(\base)
  \op f6, 48(\base)
  \op f7, 56(\base)
  \op f8, 64(\base)
  \op f9, 72(\base)
  \op f10, 80(\base)
  \op f11, 88(\base)
  \op f12, 96(\base)
  \op f13, 104(\base)
  \op f14, 112(\base)
  \op f15, 120(\base)
  \op f16, 128(\base)
  \op f17, 136(\base)
  \op f18, 144(\base)
  \op f19, 152(\base)
  \op f20, 160(\base)
  \op f21, 168(\base)
  \op f22, 176(\base)
  \op f23, 184(\base)
  \op f24, 192(\base)
  \op f25, 200(\base)
  \op f26, 208(\base)
  \op f27, 216(\base)
  \op f28, 224(\base)
  \op f29, 232(\base)
  \op f30, 240(\base)
  \op f31, 248(\base)
  .endm

// int64_t jacinth_restricted_enter(uint32_t options, jacinth_restricted_float_t *floats)
  .section .text.jacinth_restricted_enter, "ax", @progbits
  .globl jacinth_restricted_enter
  .type jacinth_restricted_enter, @function
jacinth_restricted_enter:
  addi sp, sp, -FRAME
  sd ra, FRAME-8(sp)
  sd s0, FRAME-16(sp)
  addi s0, sp, FRAME
  each_kept sd
  each_kept_float fsd
  frcsr t0
  sd t0, FCSR(sp)
  sd a1, FLOATS(sp)
  beqz a1, 1f
  // The call below goes through code that has no use for floating point.
  each_float fld, a1
  ld t0, 256(a1)
  fscsr t0
1:
  lla a1, vector
  mv a2, sp
  call zx_restricted_enter
  // Only an error comes back here.
  j leave

vector:
  mv sp, a0
  mv a0, a1
  addi s0, sp, FRAME
  ld a1, FLOATS(sp)
  beqz a1, leave
  each_float fsd, a1
  frcsr t0
  sd t0, 256(a1)
leave:
  ld t0, FCSR(sp)
  fscsr t0
  each_kept_float fld
  each_kept ld
  ld ra, FRAME-8(sp)
  ld s0, FRAME-16(sp)
  addi sp, sp, FRAME
  ret
  .size jacinth_restricted_enter, . - jacinth_restricted_enter

  .section .note.GNU-stack, "", @progbits
