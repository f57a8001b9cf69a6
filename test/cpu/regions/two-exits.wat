;; 10000: beq a0,a1,0x10014
;; 10004: andi a3,a0,1
;; 10008: bne a3,zero,0x10018
;; 1000c: addi a0,a0,2
;; 10010: jal zero,0x10000
(func (param i32 i32) (result i32)
  (local i64 i64 i64 i64 i32 i32 i32)
  local.get 0 i32.const 5 i32.lt_s if
    i32.const 0 i64.const 65536 i64.store offset=520 align=1
    i32.const 0 i32.const 7 i32.store offset=1032 align=1
    local.get 0 i32.const -2147483648 i32.or return
  end
  i32.const 0 i64.load offset=80 align=1 local.set 2
  i32.const 0 i64.load offset=88 align=1 local.set 3
  i32.const 0 i64.load offset=104 align=1 local.set 4
  block
    block
      block
        loop
          local.get 0 i32.const 5 i32.lt_s if
            i64.const 65536 local.set 5
            br 2
          end
          local.get 0 i32.const 1 i32.sub local.set 0
          local.get 2 local.get 3 i64.eq if
            i64.const 65556 local.set 5
            br 2
          end
          local.get 0 i32.const 2 i32.sub local.set 0
          local.get 2 i64.const 1 i64.and local.set 4
          local.get 4 i64.const 0 i64.ne if
            i64.const 65560 local.set 5
            br 3
          end
          local.get 0 i32.const 2 i32.sub local.set 0
          local.get 2 i64.const 2 i64.add local.set 2
          br 0
        end
        unreachable
      end
      i32.const 0 local.get 2 i64.store offset=80 align=1
      i32.const 0 local.get 4 i64.store offset=104 align=1
      br 1
    end
    i32.const 0 local.get 2 i64.store offset=80 align=1
    i32.const 0 local.get 4 i64.store offset=104 align=1
  end
  i32.const 0 local.get 5 i64.store offset=520 align=1
  local.get 5 i64.const 12 i64.shr_u i32.wrap_i64 i32.const 255 i32.and i32.const 16 i32.mul local.tee 8 i64.load offset=4096 align=1 local.get 5 i64.const -4096 i64.and i64.ne if
    local.get 0 return
  end
  local.get 8 i32.load offset=4104 align=1 local.tee 8 local.get 5 i32.wrap_i64 i32.const 4094 i32.and local.tee 7 i32.const 8 i32.mul i32.add i32.load16_u align=1 i32.const 3 i32.ne if
    local.get 0 return
  end
  local.get 8 local.get 7 i32.const 1 i32.shl i32.add i32.load offset=32784 align=1 i32.const 0 i32.load offset=512 align=1 i32.const 225 i32.and i32.const 1 i32.ne i32.add local.set 7
  local.get 0 local.get 1 local.get 7 return_call 0
)
