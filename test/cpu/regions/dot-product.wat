;; 10000: fld fa1,0(a0)
;; 10004: fld fa2,0(a1)
;; 10008: fmul.d fa1,fa1,fa2
;; 1000c: fadd.d fa0,fa0,fa1
;; 10010: fsd fa0,0(a1)
;; 10014: addi a0,a0,8
;; 10018: bne a0,a2,0x10000
;; 1001c: jalr zero,0(ra)
(func (param i32 i32) (result i32)
  (local i64 i64 i64 f64 f64 f64 i64 i32 i64 f64 f64 f64 i32 i32)
  local.get 0 i32.const 7 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=80 align=1 local.set 2
  i32.const 0 i64.load offset=88 align=1 local.set 3
  i32.const 0 i64.load offset=96 align=1 local.set 4
  i32.const 0 f64.load offset=336 align=1 local.set 5
  i32.const 0 f64.load offset=344 align=1 local.set 6
  i32.const 0 f64.load offset=352 align=1 local.set 7
  block
    loop
      local.get 0 i32.const 7 i32.lt_s if
        i64.const 65536 local.set 8
        i32.const -1 local.set 9
        br 2
      end
      local.get 0 i32.const 7 i32.sub local.set 0
      i32.const 7 local.set 9
      local.get 2 local.tee 8 local.get 8 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 10 i64.const -268435449 i64.and i64.const 0 i64.ne br_if 1
      local.get 10 i32.wrap_i64 f64.load align=1 local.set 6
      i32.const 2054 local.set 9
      local.get 3 local.tee 8 local.get 8 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 10 i64.const -268435449 i64.and i64.const 0 i64.ne br_if 1
      local.get 10 i32.wrap_i64 f64.load align=1 local.set 7
      i32.const 4101 local.set 9
      i64.const 0 local.set 8
      local.get 6 local.set 11
      local.get 7 local.set 12
      local.get 11 local.get 12 f64.mul local.set 13
      local.get 13 i64.reinterpret_f64 i64.const 31 i64.shr_u i32.wrap_i64 i32.const 4194304 i32.sub i32.const -6291456 i32.ge_u if
        local.get 11 f64.const 0 f64.ne local.get 12 f64.const 0 f64.ne i32.and local.get 13 f64.const 0 f64.ne i32.or br_if 2
      end
      local.get 13 local.set 6
      i32.const 6148 local.set 9
      i64.const 0 local.set 8
      local.get 5 local.get 6 f64.add local.set 11
      local.get 11 i64.reinterpret_f64 i64.const 31 i64.shr_u i32.wrap_i64 i32.const -2097152 i32.ge_u br_if 1
      local.get 11 local.set 5
      i32.const 8195 local.set 9
      local.get 3 local.tee 8 local.get 8 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=2097152 align=1 i64.xor local.tee 10 i64.const -268435449 i64.and i64.const 0 i64.ne br_if 1
      local.get 10 i32.wrap_i64 local.get 5 f64.store align=1
      local.get 2 i64.const 8 i64.add local.set 2
      local.get 2 local.get 4 i64.ne br_if 0
      i64.const 65564 local.set 8
      i32.const -1 local.set 9
      br 1
    end
    unreachable
  end
  i32.const 0 local.get 2 i64.store offset=80 align=1
  i32.const 0 local.get 5 f64.store offset=336 align=1
  i32.const 0 local.get 6 f64.store offset=344 align=1
  i32.const 0 local.get 7 f64.store offset=352 align=1
  local.get 9 i32.const -1 i32.eq if
    i32.const 0 local.get 8 i64.store offset=520 align=1
    local.get 8 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 15 i64.load offset=4096 align=1 local.get 8 i64.const -4096 i64.and i64.ne if
      local.get 0 return
    end
    local.get 15 i32.load offset=4104 align=1 local.tee 15 local.get 8 i32.wrap_i64 i32.const 4094 i32.and local.tee 14 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
      local.get 0 return
    end
    local.get 15 local.get 14 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 14
    local.get 0 local.get 1 local.get 14 return_call 0
  end
  i32.const 0 local.get 8 i64.store offset=1040 align=1
  i32.const 0 local.get 9 i32.store offset=1036 align=1
  i32.const 0 i64.const 65536 i64.store offset=520 align=1
  i32.const 0 i32.const 3 i32.store offset=1032 align=1
  local.get 0 i32.const -2147483648 i32.or return
)
