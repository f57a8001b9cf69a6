// Late binding of the kernel calls. A slot of __zx_vdso_table starts out as the address of its own entry here; the
// first call through it looks its name up, fills the slot, and goes on as if nothing had happened. A program thus
// pays for the calls that it makes, not for the whole table.

  .section .text.__zx_unbound, "ax", @progbits
  .globl __zx_unbound
  .hidden __zx_unbound
  .type __zx_unbound, @function
  .option push
  .option norvc
__zx_unbound:
  // As many entries as UNBOUND_MAX in vdso.c says, four bytes each. The link register tells them apart.
  .rept 256
  jal t0, bind_and_go
  .endr
  .option pop
  .size __zx_unbound, . - __zx_unbound

  .type bind_and_go, @function
bind_and_go:
  addi sp, sp, -80
  sd ra, 72(sp)
  sd s0, 64(sp)
  addi s0, sp, 80
  sd a0, 0(sp)
  sd a1, 8(sp)
  sd a2, 16(sp)
  sd a3, 24(sp)
  sd a4, 32(sp)
  sd a5, 40(sp)
  sd a6, 48(sp)
  sd a7, 56(sp)
  lla a0, __zx_unbound
  sub a0, t0, a0
  srli a0, a0, 2
  addi a0, a0, -1
  call __bind_call
  mv t1, a0
  ld a0, 0(sp)
  ld a1, 8(sp)
  ld a2, 16(sp)
  ld a3, 24(sp)
  ld a4, 32(sp)
  ld a5, 40(sp)
  ld a6, 48(sp)
  ld a7, 56(sp)
  ld s0, 64(sp)
  ld ra, 72(sp)
  addi sp, sp, 80
  jr t1
  .size bind_and_go, . - bind_and_go

  .section .note.GNU-stack, "", @progbits
