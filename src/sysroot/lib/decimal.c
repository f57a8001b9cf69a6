// Exact decimal digits of a double: m × 2^e with e < 0 is m × 5^-e / 10^-e, so one big product gives all digits.
#include <string.h>

#include "runtime.h"

enum { LIMB_DIGITS = 9, LIMB_BASE = 1000000000, LIMBS = 90 };

// Little-endian in base 10^9. 2^53 × 5^1074 has 767 digits, 2^1024 has 309.
struct big {
  int count;
  uint32_t limbs[LIMBS];
};

static void multiply(struct big *big, uint32_t factor) {
  uint64_t carry = 0;
  for (int i = 0; i < big->count; i++) {
    carry += (uint64_t)big->limbs[i] * factor;
    big->limbs[i] = carry % LIMB_BASE;
    carry /= LIMB_BASE;
  }
  for (; carry != 0; carry /= LIMB_BASE) big->limbs[big->count++] = carry % LIMB_BASE;
}

static void multiply_by_power(struct big *big, uint32_t base, uint32_t step, int step_exponent, int exponent) {
  for (; exponent >= step_exponent; exponent -= step_exponent) multiply(big, step);
  for (; exponent > 0; exponent--) multiply(big, base);
}

static void drop_zeros(struct __decimal *decimal) {
  while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0') decimal->count--;
}

void __decimal_of(struct __decimal *decimal, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint64_t mantissa = bits & ((1ul << 52) - 1);
  int exponent = (int)(bits >> 52 & 0x7ff) - 1075;
  if (exponent == -1075) {
    exponent++;
  } else {
    mantissa |= 1ul << 52;
  }
  decimal->count = decimal->point = 0;
  if (mantissa == 0) return;
  for (; exponent < 0 && (mantissa & 1) == 0; exponent++) mantissa >>= 1;

  struct big big = {.count = 0};
  for (; mantissa != 0; mantissa /= LIMB_BASE) big.limbs[big.count++] = mantissa % LIMB_BASE;
  if (exponent > 0) multiply_by_power(&big, 2, 1u << 29, 29, exponent);
  if (exponent < 0) multiply_by_power(&big, 5, 1220703125, 13, -exponent);

  char *const first = decimal->digits;
  for (int i = big.count; i-- > 0;) {
    uint32_t limb = big.limbs[i];
    for (int k = LIMB_DIGITS; k-- > 0; limb /= 10) first[decimal->count + k] = (char)('0' + limb % 10);
    decimal->count += LIMB_DIGITS;
  }
  int zeros = 0;
  while (first[zeros] == '0') zeros++;
  decimal->count -= zeros;
  memmove(first, first + zeros, decimal->count);
  decimal->point = decimal->count + (exponent < 0 ? exponent : 0);
  drop_zeros(decimal);
}

void __decimal_round(struct __decimal *decimal, int count) {
  if (count >= decimal->count) return;
  if (count < 0) {
    decimal->count = 0;
    return;
  }
  char *const digits = decimal->digits;
  const bool tie = digits[count] == '5' && decimal->count == count + 1;
  const bool up = tie ? count > 0 && (digits[count - 1] & 1) != 0 : digits[count] >= '5';
  decimal->count = count;
  if (up) {
    while (decimal->count > 0 && digits[decimal->count - 1] == '9') decimal->count--;
    if (decimal->count > 0) {
      digits[decimal->count - 1]++;
    } else {
      digits[decimal->count++] = '1';
      decimal->point++;
    }
  }
  drop_zeros(decimal);
}
