;; 10000: lw a3,0(a0)
;; 10004: srliw t0,a1,0x7
;; 10008: slliw t1,a1,0x19
;; 1000c: or t0,t0,t1
;; 10010: xor a3,a3,t0
;; 10014: srliw t2,a1,0x3
;; 10018: addw a3,a3,t2
;; 1001c: srliw t0,a2,0x7
;; 10020: slliw t1,a2,0x19
;; 10024: or t0,t0,t1
;; 10028: xor a3,a3,t0
;; 1002c: srliw t2,a2,0x3
;; 10030: addw a3,a3,t2
;; 10034: addi a2,a1,0
;; 10038: addi a1,a3,0
;; 1003c: addi a0,a0,4
;; 10040: addi t3,t3,4
;; 10044: bne a0,s0,0x10000
;; 10048: jalr zero,0(ra)
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i32 i64 i32 i64 i64 i32 i32)
  local.get 0 i32.const 72 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=40 align=1 local.set 2
  i32.const 0 i64.load offset=48 align=1 local.set 3
  i32.const 0 i64.load offset=56 align=1 local.set 4
  i32.const 0 i64.load offset=64 align=1 local.set 5
  i32.const 0 i64.load offset=80 align=1 local.set 6
  i32.const 0 i64.load offset=88 align=1 local.set 7
  i32.const 0 i64.load offset=96 align=1 local.set 8
  i32.const 0 i64.load offset=104 align=1 local.set 9
  i32.const 0 i64.load offset=224 align=1 local.set 10
  block
    loop
      local.get 0 i32.const 72 i32.lt_s if
        i64.const 65536 local.set 11
        i32.const -1 local.set 12
        br 2
      end
      block
        local.get 6 local.tee 11 local.get 11 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 13 i64.const -268431361 i64.and i64.const 4080 i64.gt_u br_if 0
        local.get 13 i32.wrap_i64 local.set 14
        loop
          block
            local.get 6 local.set 15
            local.get 10 local.set 16
            local.get 14 i64.load32_s align=1 local.set 9
            local.get 7 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 7 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 7 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 8 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 7 local.set 8
            local.get 9 local.set 7
            local.get 15 i64.const 4 i64.add local.set 6
            local.get 16 i64.const 4 i64.add local.set 10
            local.get 6 local.get 5 i64.ne i32.eqz if
              local.get 0 i32.const 18 i32.sub local.set 0
              i64.const 65608 local.set 11
              i32.const -1 local.set 12
              br 5
            end
            local.get 14 i64.load32_s offset=4 align=1 local.set 9
            local.get 7 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 7 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 7 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 8 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 7 local.set 8
            local.get 9 local.set 7
            local.get 15 i64.const 8 i64.add local.set 6
            local.get 16 i64.const 8 i64.add local.set 10
            local.get 6 local.get 5 i64.ne i32.eqz if
              local.get 0 i32.const 36 i32.sub local.set 0
              i64.const 65608 local.set 11
              i32.const -1 local.set 12
              br 5
            end
            local.get 14 i64.load32_s offset=8 align=1 local.set 9
            local.get 7 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 7 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 7 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 8 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 7 local.set 8
            local.get 9 local.set 7
            local.get 15 i64.const 12 i64.add local.set 6
            local.get 16 i64.const 12 i64.add local.set 10
            local.get 6 local.get 5 i64.ne i32.eqz if
              local.get 0 i32.const 54 i32.sub local.set 0
              i64.const 65608 local.set 11
              i32.const -1 local.set 12
              br 5
            end
            local.get 14 i64.load32_s offset=12 align=1 local.set 9
            local.get 7 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 7 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 7 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
            local.get 8 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
            local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
            local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
            local.get 8 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
            local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
            local.get 7 local.set 8
            local.get 9 local.set 7
            local.get 15 i64.const 16 i64.add local.set 6
            local.get 16 i64.const 16 i64.add local.set 10
            local.get 6 local.get 5 i64.ne i32.eqz if
              local.get 0 i32.const 72 i32.sub local.set 0
              i64.const 65608 local.set 11
              i32.const -1 local.set 12
              br 5
            end
            local.get 0 i32.const 72 i32.sub local.set 0
            local.get 0 i32.const 72 i32.lt_s br_if 0
            local.get 6 local.tee 11 local.get 11 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 13 i64.const -268431361 i64.and i64.const 4080 i64.gt_u br_if 0
            local.get 13 i32.wrap_i64 local.set 14
            br 1
          end
          br 2
        end
      end
      local.get 0 i32.const 18 i32.sub local.set 0
      i32.const 18 local.set 12
      local.get 6 local.tee 11 local.get 11 i32.wrap_i64 i32.const 9 i32.shr_u i32.const 1048568 i32.and i64.load offset=1048576 align=1 i64.xor local.tee 13 i64.const -268435453 i64.and i64.const 0 i64.ne br_if 1
      local.get 13 i32.wrap_i64 i64.load32_s align=1 local.set 9
      local.get 7 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
      local.get 7 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
      local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
      local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
      local.get 7 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
      local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
      local.get 8 i32.wrap_i64 i32.const 7 i32.shr_u i64.extend_i32_s local.set 2
      local.get 8 i32.wrap_i64 i32.const 25 i32.shl i64.extend_i32_s local.set 3
      local.get 2 i32.wrap_i64 local.get 3 i32.wrap_i64 i32.or i64.extend_i32_s local.set 2
      local.get 9 i32.wrap_i64 local.get 2 i32.wrap_i64 i32.xor i64.extend_i32_s local.set 9
      local.get 8 i32.wrap_i64 i32.const 3 i32.shr_u i64.extend_i32_s local.set 4
      local.get 9 i32.wrap_i64 local.get 4 i32.wrap_i64 i32.add i64.extend_i32_s local.set 9
      local.get 7 local.set 8
      local.get 9 local.set 7
      local.get 6 i64.const 4 i64.add local.set 6
      local.get 10 i64.const 4 i64.add local.set 10
      local.get 6 local.get 5 i64.ne br_if 0
      i64.const 65608 local.set 11
      i32.const -1 local.set 12
      br 1
    end
    unreachable
  end
  i32.const 0 local.get 2 i64.store offset=40 align=1
  i32.const 0 local.get 3 i64.store offset=48 align=1
  i32.const 0 local.get 4 i64.store offset=56 align=1
  i32.const 0 local.get 6 i64.store offset=80 align=1
  i32.const 0 local.get 7 i64.store offset=88 align=1
  i32.const 0 local.get 8 i64.store offset=96 align=1
  i32.const 0 local.get 9 i64.store offset=104 align=1
  i32.const 0 local.get 10 i64.store offset=224 align=1
  local.get 12 i32.const -1 i32.eq if
    i32.const 0 local.get 11 i64.store offset=520 align=1
    local.get 11 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 18 i64.load offset=4096 align=1 local.get 11 i64.const -4096 i64.and i64.ne if
      local.get 0 return
    end
    local.get 18 i32.load offset=4104 align=1 local.tee 18 local.get 11 i32.wrap_i64 i32.const 4094 i32.and local.tee 17 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
      local.get 0 return
    end
    local.get 18 local.get 17 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 17
    local.get 0 local.get 1 local.get 17 return_call 0
  end
  i32.const 0 local.get 11 i64.store offset=1040 align=1
  i32.const 0 local.get 12 i32.store offset=1036 align=1
  i32.const 0 i64.const 65536 i64.store offset=520 align=1
  i32.const 0 i32.const 3 i32.store offset=1032 align=1
  local.get 0 i32.const -2147483648 i32.or return
)
