;; 10000: addi a0,a0,8
;; 10004: ld a3,0(a0)
;; 10008: addi a1,a0,16
;; 1000c: lw a2,8(a1)
;; 10010: lbu a1,-4(a1)
;; 10014: sd a2,8(a3)
;; 10018: sd a1,0(a3)
;; 1001c: jalr zero,0(ra)
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i64 i32 i64 i64 i64 i32 i32 i32 i32)
  local.get 0 i32.const 8 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=8 align=1 local.set 2
  i32.const 0 i64.load offset=80 align=1 local.set 3
  block
    block
      block
        local.get 0 i32.const 8 i32.sub local.set 0
        local.get 3 i64.const 8 i64.add local.set 3
        local.get 3 local.tee 4 local.get 4 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 5 i64.const -268431361 i64.and i64.const 4068 i64.gt_u if
          local.get 0 i32.const 7 i32.add local.set 0
          i64.const 65540 local.set 4
          br 2
        end
        local.get 5 i32.wrap_i64 local.set 6
        local.get 6 i64.load align=1 local.set 7
        local.get 3 i64.const 16 i64.add local.set 8
        local.get 6 i64.load32_s offset=24 align=1 local.set 9
        local.get 6 i64.load8_u offset=12 align=1 local.set 8
        local.get 7 local.tee 4 local.get 4 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=2097152 align=1 i64.xor local.tee 5 i64.const -268431361 i64.and i64.const 4080 i64.gt_u if
          local.get 0 i32.const 3 i32.add local.set 0
          i64.const 65556 local.set 4
          br 1
        end
        local.get 5 i32.wrap_i64 local.set 10
        local.get 10 local.get 9 i64.store offset=8 align=1
        local.get 10 local.get 8 i64.store align=1
        local.get 2 i64.const -2 i64.and local.set 4
        i32.const 0 local.get 3 i64.store offset=80 align=1
        i32.const 0 local.get 8 i64.store offset=88 align=1
        i32.const 0 local.get 9 i64.store offset=96 align=1
        i32.const 0 local.get 7 i64.store offset=104 align=1
        i32.const 0 local.get 4 i64.store offset=520 align=1
        local.get 0 return
        unreachable
      end
      i32.const 0 local.get 8 i64.store offset=88 align=1
      i32.const 0 local.get 9 i64.store offset=96 align=1
      i32.const 0 local.get 7 i64.store offset=104 align=1
    end
    i32.const 0 local.get 3 i64.store offset=80 align=1
  end
  i32.const 0 local.get 4 i64.store offset=520 align=1
  local.get 4 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 13 i64.load offset=4096 align=1 local.get 4 i64.const -4096 i64.and i64.ne if
    local.get 0 return
  end
  local.get 13 i32.load offset=4104 align=1 local.tee 13 local.get 4 i32.wrap_i64 i32.const 4094 i32.and local.tee 12 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
    local.get 0 return
  end
  local.get 13 local.get 12 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 12
  local.get 0 local.get 1 local.get 12 return_call 0
)
