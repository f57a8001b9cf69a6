// Formatted output to the debug log, which is the only console. Each call's text stays in one piece among threads.
#ifndef JACINTH_STDIO_H
#define JACINTH_STDIO_H
#include <stdarg.h>
#include <stddef.h>

#define EOF (-1)

typedef struct __file FILE;
extern FILE *const stdout;
extern FILE *const stderr;
#define stdout stdout
#define stderr stderr

#define __PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))

int printf(const char *format, ...) __PRINTF_LIKE(1, 2);
int fprintf(FILE *file, const char *format, ...) __PRINTF_LIKE(2, 3);
int sprintf(char *buffer, const char *format, ...) __PRINTF_LIKE(2, 3);
int snprintf(char *buffer, size_t size, const char *format, ...) __PRINTF_LIKE(3, 4);
int vprintf(const char *format, va_list arguments) __PRINTF_LIKE(1, 0);
int vfprintf(FILE *file, const char *format, va_list arguments) __PRINTF_LIKE(2, 0);
int vsprintf(char *buffer, const char *format, va_list arguments) __PRINTF_LIKE(2, 0);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) __PRINTF_LIKE(3, 0);

int fflush(FILE *file);
int fputc(int c, FILE *file);
int fputs(const char *text, FILE *file);
size_t fwrite(const void *data, size_t size, size_t count, FILE *file);
int putc(int c, FILE *file);
int putchar(int c);
int puts(const char *text);

#endif
