;; 10000: slliw a1,a0,0x7
;; 10004: srliw a0,a0,0x19
;; 10008: or a0,a0,a1
;; 1000c: addw a0,a0,a2
;; 10010: addiw a0,a0,0
;; 10014: jalr zero,0(ra)
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i64 i64 i32)
  local.get 0 i32.const 6 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=8 align=1 local.set 2
  i32.const 0 i64.load offset=80 align=1 local.set 3
  i32.const 0 i64.load offset=96 align=1 local.set 4
  local.get 0 i32.const 6 i32.sub local.set 0
  local.get 3 i32.wrap_i64 i32.const 7 i32.shl i64.extend_i32_s local.set 5
  local.get 3 i32.wrap_i64 i32.const 25 i32.shr_u i64.extend_i32_s local.set 3
  local.get 3 i32.wrap_i64 local.get 5 i32.wrap_i64 i32.or i64.extend_i32_s local.set 3
  local.get 3 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 3
  local.get 3 local.set 3
  local.get 2 i64.const -2 i64.and local.set 6
  i32.const 0 local.get 3 i64.store offset=80 align=1
  i32.const 0 local.get 5 i64.store offset=88 align=1
  i32.const 0 local.get 6 i64.store offset=520 align=1
  local.get 0 return
  unreachable
)
