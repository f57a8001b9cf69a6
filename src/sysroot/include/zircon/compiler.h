#ifndef ZIRCON_COMPILER_H_
#define ZIRCON_COMPILER_H_

// Spellings of compiler features that the other headers and programs for Zircon use (GCC and Clang).

#ifdef __cplusplus
#define __BEGIN_CDECLS extern "C" {
#define __END_CDECLS }
#else
#define __BEGIN_CDECLS
#define __END_CDECLS
#endif

#define __NO_RETURN __attribute__((__noreturn__))
#define __CONST __attribute__((__const__))
#define __PURE __attribute__((__pure__))
#define __WEAK __attribute__((__weak__))
#define __ALIGNED(bytes) __attribute__((__aligned__(bytes)))
#define __PACKED __attribute__((__packed__))
#define __EXPORT __attribute__((__visibility__("default")))
#define __LOCAL __attribute__((__visibility__("hidden")))
#define __UNUSED __attribute__((__unused__))
#define __USED __attribute__((__used__))
#define __ALWAYS_INLINE __attribute__((__always_inline__))
#define __NO_INLINE __attribute__((__noinline__))
#define __NONNULL(args) __attribute__((__nonnull__ args))
#define __PRINTFLIKE(format, first) __attribute__((__format__(__printf__, format, first)))
#define __UNREACHABLE __builtin_unreachable()

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif  // ZIRCON_COMPILER_H_
