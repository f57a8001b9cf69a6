;; 10000: addi a1,zero,1
;; 10004: amoadd.w a0,a1,(a0)
;; 10008: jalr zero,0(ra)
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i32 i64 i64 i64 i64)
  local.get 0 i32.const 3 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=8 align=1 local.set 2
  i32.const 0 i64.load offset=80 align=1 local.set 3
  block
    local.get 0 i32.const 3 i32.sub local.set 0
    i64.const 1 local.set 4
    i32.const 2050 local.set 5
    local.get 3 local.set 6
    local.get 6 local.tee 7 local.get 7 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=2097152 align=1 i64.xor local.tee 8 i64.const -268435453 i64.and i64.const 0 i64.ne br_if 0
    local.get 8 i32.wrap_i64 drop
    local.get 6 local.tee 7 local.get 7 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 8 i64.const -268435453 i64.and i64.const 0 i64.ne br_if 0
    local.get 8 i32.wrap_i64 i64.load32_s align=1 local.set 9
    local.get 6 local.tee 7 local.get 7 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=2097152 align=1 i64.xor local.tee 8 i64.const -268435453 i64.and i64.const 0 i64.ne br_if 0
    local.get 8 i32.wrap_i64 local.get 9 local.get 4 i64.extend32_s i64.add i64.store32 align=1
    local.get 9 local.set 3
    local.get 2 i64.const -2 i64.and local.set 7
    i32.const 0 local.get 3 i64.store offset=80 align=1
    i32.const 0 local.get 4 i64.store offset=88 align=1
    i32.const 0 local.get 7 i64.store offset=520 align=1
    local.get 0 return
    unreachable
  end
  i32.const 0 local.get 4 i64.store offset=88 align=1
  i32.const 0 local.get 7 i64.store offset=1040 align=1
  i32.const 0 local.get 5 i32.store offset=1036 align=1
  i32.const 0 i64.const 65536 i64.store offset=520 align=1
  i32.const 0 i32.const 3 i32.store offset=1032 align=1
  local.get 0 i32.const -2147483648 i32.or return
)
