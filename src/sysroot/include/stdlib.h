// Memory, conversion, sorting and leaving.
#ifndef JACINTH_STDLIB_H
#define JACINTH_STDLIB_H
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 2147483647

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *pointer, size_t size);
void free(void *pointer);

_Noreturn void abort(void);
_Noreturn void exit(int status);
_Noreturn void _Exit(int status);
int atexit(void (*function)(void));
char *getenv(const char *name);

int abs(int value);
long labs(long value);
long long llabs(long long value);
int atoi(const char *text);
long atol(const char *text);
long long atoll(const char *text);
long strtol(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);

// rand is a fixed sequence from srand's seed (1 at start), the same in every run.
int rand(void);
void srand(unsigned seed);

typedef int __compare_function(const void *left, const void *right);
void qsort(void *base, size_t count, size_t size, __compare_function *compare);
void *bsearch(const void *key, const void *base, size_t count, size_t size, __compare_function *compare);

#endif
