;; 10000: addi t0,zero,7
;; 10004: addi a0,a1,1
;; 10008: ecall
(func (param i32 i32) (result i32)
  (local i64 i64 i32 i64 i32 i64 i64 i64)
  local.get 0 i32.const 2 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    i32.const 0 i32.const -1 i32.store offset=1036 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=88 align=1 local.set 7
  block
    local.get 0 i32.const 2 i32.sub local.set 0
    i64.const 0 i64.const 7 i64.add local.set 8
    local.get 7 i64.const 1 i64.add local.set 9
    i32.const 0 local.get 8 i64.store offset=40 align=1
    i32.const 0 local.get 9 i64.store offset=80 align=1
    i32.const 0 i64.const 65544 i64.store offset=520 align=1
    i32.const 0 i32.const 4 i32.store offset=1032 align=1
    i32.const 0 i32.const -1 i32.store offset=1036 align=1
    local.get 0 i32.const -2147483648 i32.or return
    unreachable
  end
  i32.const 0 local.get 5 i64.store offset=520 align=1
  local.get 5 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 6 i64.load offset=4096 align=1 local.get 5 i64.const -4096 i64.and i64.ne if
    local.get 0 return
  end
  local.get 6 i32.load offset=4104 align=1 local.tee 6 local.get 5 i32.wrap_i64 i32.const 4094 i32.and local.tee 4 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
    local.get 0 return
  end
  local.get 6 local.get 4 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 4
  local.get 0 local.get 1 local.get 4 return_call_indirect (type 0)
)
