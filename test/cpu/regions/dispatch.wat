;; 10000: lbu a3,0(a0)
;; 10004: slli a3,a3,0x3
;; 10008: add a3,a3,a1
;; 1000c: ld a3,0(a3)
;; 10010: jalr zero,0(a3)
;; 10014: add a2,a2,a0
;; 10018: addi a0,a0,1
;; 1001c: jal zero,0x10000
;; 10020: addi a0,a0,2
;; 10024: jal zero,0x10000
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i64 i64 i32 i64 i32 i32)
  local.get 0 i32.const 8 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=80 align=1 local.set 2
  i32.const 0 i64.load offset=88 align=1 local.set 3
  i32.const 0 i64.load offset=96 align=1 local.set 4
  i32.const 0 i64.load offset=104 align=1 local.set 5
  block
    block
      block
        loop
          local.get 0 i32.const 8 i32.lt_s if
            i64.const 65536 local.set 6
            i32.const -1 local.set 7
            br 2
          end
          local.get 0 i32.const 5 i32.sub local.set 0
          i32.const 5 local.set 7
          local.get 2 local.tee 6 local.get 6 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 8 i64.const -268435456 i64.and i64.const 0 i64.ne br_if 1
          local.get 8 i32.wrap_i64 i64.load8_u align=1 local.set 5
          local.get 5 i64.const 3 i64.shl local.set 5
          local.get 5 local.get 3 i64.add local.set 5
          i32.const 6146 local.set 7
          local.get 5 local.tee 6 local.get 6 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 8 i64.const -268435449 i64.and i64.const 0 i64.ne br_if 1
          local.get 8 i32.wrap_i64 i64.load align=1 local.set 5
          local.get 5 i64.const -2 i64.and local.set 6
          block
            block
              block
                local.get 6 i64.const 65556 i64.sub local.tee 8 i64.const 14 i64.ge_u br_if 0
                local.get 8 i32.wrap_i64 i32.const 1 i32.shr_u br_table 1 0 0 0 0 0 2 0
              end
              i32.const -1 local.set 7
              br 4
            end
            local.get 0 i32.const 3 i32.sub local.set 0
            local.get 4 local.get 2 i64.add local.set 4
            local.get 2 i64.const 1 i64.add local.set 2
            br 1
          end
          local.get 0 i32.const 2 i32.sub local.set 0
          local.get 2 i64.const 2 i64.add local.set 2
          br 0
        end
        unreachable
      end
      i32.const 0 local.get 2 i64.store offset=80 align=1
      i32.const 0 local.get 4 i64.store offset=96 align=1
      i32.const 0 local.get 5 i64.store offset=104 align=1
      br 1
    end
    i32.const 0 local.get 2 i64.store offset=80 align=1
    i32.const 0 local.get 4 i64.store offset=96 align=1
    i32.const 0 local.get 5 i64.store offset=104 align=1
  end
  local.get 7 i32.const -1 i32.eq if
    i32.const 0 local.get 6 i64.store offset=520 align=1
    local.get 6 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 10 i64.load offset=4096 align=1 local.get 6 i64.const -4096 i64.and i64.ne if
      local.get 0 return
    end
    local.get 10 i32.load offset=4104 align=1 local.tee 10 local.get 6 i32.wrap_i64 i32.const 4094 i32.and local.tee 9 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
      local.get 0 return
    end
    local.get 10 local.get 9 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 9
    local.get 0 local.get 1 local.get 9 return_call 0
  end
  i32.const 0 local.get 6 i64.store offset=1040 align=1
  i32.const 0 local.get 7 i32.store offset=1036 align=1
  i32.const 0 i64.const 65536 i64.store offset=520 align=1
  i32.const 0 i32.const 3 i32.store offset=1032 align=1
  local.get 0 i32.const -2147483648 i32.or return
)
