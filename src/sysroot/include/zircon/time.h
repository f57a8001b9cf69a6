#ifndef ZIRCON_TIME_H_
#define ZIRCON_TIME_H_

#include <stdint.h>
#include <zircon/compiler.h>
#include <zircon/types.h>

__BEGIN_CDECLS

// Durations, in nanoseconds. The macros are for constants: they overflow where the functions below saturate.
#define ZX_NSEC(n) ((zx_duration_t)(1LL * (n)))
#define ZX_USEC(n) ((zx_duration_t)(1000LL * (n)))
#define ZX_MSEC(n) ((zx_duration_t)(1000000LL * (n)))
#define ZX_SEC(n) ((zx_duration_t)(1000000000LL * (n)))
#define ZX_MIN(n) ((zx_duration_t)(60LL * 1000000000LL * (n)))
#define ZX_HOUR(n) ((zx_duration_t)(3600LL * 1000000000LL * (n)))

// Times and durations are added and multiplied so that what is too large or too small stays at the last value that
// can be held: "never" and "always" do not wrap into each other.
__UNUSED static inline int64_t __zx_saturated_add(int64_t a, int64_t b) {
  int64_t sum;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? INT64_MIN : INT64_MAX;
}

__UNUSED static inline int64_t __zx_saturated_sub(int64_t a, int64_t b) {
  int64_t difference;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return b < 0 ? INT64_MAX : INT64_MIN;
}

__UNUSED static inline int64_t __zx_saturated_mul(int64_t a, int64_t b) {
  int64_t product;
  if (!__builtin_mul_overflow(a, b, &product)) return product;
  return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

__UNUSED static inline zx_time_t zx_time_add_duration(zx_time_t time, zx_duration_t duration) {
  return __zx_saturated_add(time, duration);
}

__UNUSED static inline zx_time_t zx_time_sub_duration(zx_time_t time, zx_duration_t duration) {
  return __zx_saturated_sub(time, duration);
}

__UNUSED static inline zx_duration_t zx_time_sub_time(zx_time_t later, zx_time_t earlier) {
  return __zx_saturated_sub(later, earlier);
}

__UNUSED static inline zx_duration_t zx_duration_add_duration(zx_duration_t a, zx_duration_t b) {
  return __zx_saturated_add(a, b);
}

__UNUSED static inline zx_duration_t zx_duration_sub_duration(zx_duration_t a, zx_duration_t b) {
  return __zx_saturated_sub(a, b);
}

__UNUSED static inline zx_duration_t zx_duration_mul_int64(zx_duration_t duration, int64_t factor) {
  return __zx_saturated_mul(duration, factor);
}

__UNUSED static inline zx_duration_t zx_duration_from_nsec(int64_t n) { return n; }

__UNUSED static inline zx_duration_t zx_duration_from_usec(int64_t n) { return __zx_saturated_mul(n, ZX_USEC(1)); }

__UNUSED static inline zx_duration_t zx_duration_from_msec(int64_t n) { return __zx_saturated_mul(n, ZX_MSEC(1)); }

__UNUSED static inline zx_duration_t zx_duration_from_sec(int64_t n) { return __zx_saturated_mul(n, ZX_SEC(1)); }

__END_CDECLS

#endif  // ZIRCON_TIME_H_
