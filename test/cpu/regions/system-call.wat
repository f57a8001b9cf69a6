;; 10000: addi t0,zero,7
;; 10004: addi a0,a1,1
;; 10008: ecall
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i32)
  local.get 0 i32.const 2 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=88 align=1 local.set 2
  local.get 0 i32.const 2 i32.sub local.set 0
  i64.const 7 local.set 3
  local.get 2 i64.const 1 i64.add local.set 4
  i32.const 0 local.get 3 i64.store offset=40 align=1
  i32.const 0 local.get 4 i64.store offset=80 align=1
  i32.const 0 i64.const 65544 i64.store offset=520 align=1
  i32.const 0 i32.const 4 i32.store offset=1032 align=1
  local.get 0 i32.const -2147483648 i32.or return
  unreachable
)
