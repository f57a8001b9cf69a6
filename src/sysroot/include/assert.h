// assert: a failed check prints its place and text to the debug log, then crashes the process.
#undef assert

#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) ((condition) ? (void)0 : __assert_fail(#condition, __FILE__, __LINE__, __func__))
#endif

#ifndef JACINTH_ASSERT_H
#define JACINTH_ASSERT_H
#define static_assert _Static_assert
_Noreturn void __assert_fail(const char *condition, const char *file, int line, const char *function);
#endif
