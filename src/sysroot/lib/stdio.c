#include <stdio.h>
#include <string.h>

#include "runtime.h"

// zx_debug_write takes at most this much at a time.
enum { DEBUG_WRITE_MAX = 256 };

struct __file {
  __lock_t lock;
  size_t used;
  char buffer[DEBUG_WRITE_MAX];
};

// There is one console: both streams are one file, so that their texts cannot mix.
static struct __file console;
#undef stdout
#undef stderr
FILE *const stdout = &console;
FILE *const stderr = &console;

static void flush(FILE *file) {
  if (file->used > 0) zx_debug_write(file->buffer, file->used);
  file->used = 0;
}

// The lock is held; whoever releases it flushes first, so nothing waits in the buffer between calls.
static void append(FILE *file, const char *text, size_t size) {
  while (size > 0) {
    const size_t room = DEBUG_WRITE_MAX - file->used;
    const size_t part = size < room ? size : room;
    memcpy(file->buffer + file->used, text, part);
    file->used += part;
    text += part;
    size -= part;
    if (file->used == DEBUG_WRITE_MAX) flush(file);
  }
}

static void finish(FILE *file) {
  flush(file);
  __unlock(&file->lock);
}

struct file_sink {
  struct __sink sink;
  FILE *file;
};

static void write_file(struct __sink *sink, const char *text, size_t size) {
  append(((struct file_sink *)sink)->file, text, size);
}

int vfprintf(FILE *file, const char *format, va_list arguments) {
  struct file_sink sink = {{write_file}, file};
  __lock(&file->lock);
  const int count = __format(&sink.sink, format, arguments);
  finish(file);
  return count;
}

int vprintf(const char *format, va_list arguments) { return vfprintf(stdout, format, arguments); }

int fprintf(FILE *file, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vfprintf(file, format, arguments);
  va_end(arguments);
  return count;
}

int printf(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vfprintf(stdout, format, arguments);
  va_end(arguments);
  return count;
}

struct memory_sink {
  struct __sink sink;
  char *buffer;
  size_t room;
};

static void write_memory(struct __sink *sink, const char *text, size_t size) {
  struct memory_sink *memory = (struct memory_sink *)sink;
  const size_t part = size < memory->room ? size : memory->room;
  memcpy(memory->buffer, text, part);
  memory->buffer += part;
  memory->room -= part;
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
  struct memory_sink sink = {{write_memory}, buffer, size == 0 ? 0 : size - 1};
  const int count = __format(&sink.sink, format, arguments);
  if (size > 0) *sink.buffer = 0;
  return count;
}

int vsprintf(char *buffer, const char *format, va_list arguments) {
  return vsnprintf(buffer, PTRDIFF_MAX, format, arguments);
}

int snprintf(char *buffer, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vsnprintf(buffer, size, format, arguments);
  va_end(arguments);
  return count;
}

int sprintf(char *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int count = vsprintf(buffer, format, arguments);
  va_end(arguments);
  return count;
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file) {
  size_t bytes;
  if (__builtin_mul_overflow(size, count, &bytes)) return 0;
  __lock(&file->lock);
  append(file, data, bytes);
  finish(file);
  return count;
}

int fputs(const char *text, FILE *file) {
  fwrite(text, 1, strlen(text), file);
  return 0;
}

int puts(const char *text) {
  __lock(&console.lock);
  append(&console, text, strlen(text));
  append(&console, "\n", 1);
  finish(&console);
  return 0;
}

int fputc(int c, FILE *file) {
  const char byte = (char)c;
  fwrite(&byte, 1, 1, file);
  return (unsigned char)c;
}

int putc(int c, FILE *file) { return fputc(c, file); }
int putchar(int c) { return fputc(c, stdout); }

// Every call has written its text before it returned.
int fflush(FILE *file) {
  (void)file;
  return 0;
}
