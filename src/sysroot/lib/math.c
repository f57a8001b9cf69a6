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

// The significand with its leading one at bit 52, and the exponent that goes with it (below 1 for subnormals).
static uint64_t normalize(uint64_t bits, int *exponent) {
  const uint64_t hidden = 1ul << 52;
  *exponent = bits >> 52;
  if (*exponent > 0) return (bits & (hidden - 1)) | hidden;
  const int shift = __builtin_clzl(bits) - 11;
  *exponent = 1 - shift;
  return bits << shift;
}

// Long division on the significands: exact, as C Annex F asks.
double fmod(double x, double y) {
  const uint64_t sign = to_bits(x) & 1ul << 63;
  const uint64_t dividend = to_bits(x) & ~(1ul << 63), divisor = to_bits(y) & ~(1ul << 63);
  if (divisor == 0 || dividend >= 0x7fful << 52 || divisor > 0x7fful << 52) return (x * y) / (x * y);
  if (dividend < divisor) return x;
  int a_exponent, exponent;
  uint64_t a = normalize(dividend, &a_exponent);
  const uint64_t b = normalize(divisor, &exponent);
  for (; a_exponent > exponent; a_exponent--) {
    if (a >= b) a -= b;
    a <<= 1;
  }
  if (a >= b) a -= b;
  if (a == 0) return from_bits(sign);
  const int shift = __builtin_clzl(a) - 11;
  a <<= shift;
  exponent -= shift;
  // The remainder is a multiple of the smallest subnormal: nothing is shifted out.
  if (exponent < 1) return from_bits(sign | a >> (1 - exponent));
  // Adding lets the leading one fall into the exponent field.
  return from_bits(sign | ((((uint64_t)exponent - 1) << 52) + a));
}
