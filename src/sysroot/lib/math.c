#include <math.h>
#include <stdint.h>

static double from_bits(uint64_t bits) {
  double value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t to_bits(double value) {
  uint64_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

double copysign(double magnitude, double sign) { return __builtin_copysign(magnitude, sign); }
double fabs(double x) { return __builtin_fabs(x); }
float fabsf(float x) { return __builtin_fabsf(x); }

double sqrt(double x) {
  __asm__("fsqrt.d %0, %0" : "+f"(x));
  return x;
}

float sqrtf(float x) {
  __asm__("fsqrt.s %0, %0" : "+f"(x));
  return x;
}

double fma(double x, double y, double z) {
  __asm__("fmadd.d %0, %1, %2, %3" : "=f"(x) : "f"(x), "f"(y), "f"(z));
  return x;
}

double fmax(double x, double y) {
  __asm__("fmax.d %0, %0, %1" : "+f"(x) : "f"(y));
  return x;
}

double fmin(double x, double y) {
  __asm__("fmin.d %0, %0, %1" : "+f"(x) : "f"(y));
  return x;
}

// From 2^52 on every double is an integer; NaN fails the comparison too.
#define ROUND_BY(mode)                                              \
  if (!(__builtin_fabs(x) < 0x1p52)) return x + 0.0;                \
  int64_t whole;                                                    \
  __asm__("fcvt.l.d %0, %1, " #mode : "=r"(whole) : "f"(x));        \
  return __builtin_copysign((double)whole, x)

double floor(double x) { ROUND_BY(rdn); }
double ceil(double x) { ROUND_BY(rup); }
double trunc(double x) { ROUND_BY(rtz); }
double round(double x) { ROUND_BY(rmm); }

// Long division on the significands: exact, as C Annex F asks.
double fmod(double x, double y) {
  const uint64_t sign = to_bits(x) & 1ul << 63;
  uint64_t a = to_bits(x) & ~(1ul << 63), b = to_bits(y) & ~(1ul << 63);
  if (b == 0 || a >= 0x7fful << 52 || b > 0x7fful << 52) return (x * y) / (x * y);
  if (a < b) return x;
  int a_exponent = a >> 52, b_exponent = b >> 52;
  const uint64_t hidden = 1ul << 52;
  a = a_exponent == 0 ? a : (a & (hidden - 1)) | hidden;
  b = b_exponent == 0 ? b : (b & (hidden - 1)) | hidden;
  a_exponent += a_exponent == 0;
  b_exponent += b_exponent == 0;
  for (; a_exponent > b_exponent; a_exponent--) {
    if (a >= b) a -= b;
    a <<= 1;
  }
  if (a >= b) a -= b;
  if (a == 0) return from_bits(sign);
  while (a < hidden && b_exponent > 1) {
    a <<= 1;
    b_exponent--;
  }
  return from_bits(sign | (a < hidden ? a : (a - hidden) | (uint64_t)b_exponent << 52));
}
