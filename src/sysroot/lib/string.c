#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Blocks are moved by aligned 64-bit words where both ends allow it: the machine counts instructions.
typedef uint64_t __attribute__((may_alias)) word;
enum { WORD = sizeof(word) };

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  char *out = to;
  const char *in = from;
  if ((((uintptr_t)out ^ (uintptr_t)in) & (WORD - 1)) == 0) {
    for (; size > 0 && ((uintptr_t)out & (WORD - 1)) != 0; size--) *out++ = *in++;
    for (; size >= WORD; size -= WORD, out += WORD, in += WORD) *(word *)out = *(const word *)in;
  }
  while (size-- > 0) *out++ = *in++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  if ((uintptr_t)to - (uintptr_t)from >= size) return memcpy(to, from, size);
  char *out = (char *)to + size;
  const char *in = (const char *)from + size;
  if ((((uintptr_t)out ^ (uintptr_t)in) & (WORD - 1)) == 0) {
    for (; size > 0 && ((uintptr_t)out & (WORD - 1)) != 0; size--) *--out = *--in;
    for (; size >= WORD; size -= WORD) {
      out -= WORD;
      in -= WORD;
      *(word *)out = *(const word *)in;
    }
  }
  while (size-- > 0) *--out = *--in;
  return to;
}

void *memset(void *block, int c, size_t size) {
  char *out = block;
  for (; size > 0 && ((uintptr_t)out & (WORD - 1)) != 0; size--) *out++ = (char)c;
  const word pattern = (unsigned char)c * (UINT64_MAX / 255);
  for (; size >= WORD; size -= WORD, out += WORD) *(word *)out = pattern;
  while (size-- > 0) *out++ = (char)c;
  return block;
}

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left, *b = right;
  for (; size > 0; size--, a++, b++) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

void *memchr(const void *block, int c, size_t size) {
  const unsigned char *in = block;
  for (; size > 0; size--, in++) {
    if (*in == (unsigned char)c) return (void *)in;
  }
  return NULL;
}

size_t strlen(const char *text) {
  const char *end = text;
  while (*end != 0) end++;
  return end - text;
}

size_t strnlen(const char *text, size_t size) {
  size_t length = 0;
  while (length < size && text[length] != 0) length++;
  return length;
}

int strcmp(const char *left, const char *right) {
  for (; *left != 0 && *left == *right; left++) right++;
  return (unsigned char)*left - (unsigned char)*right;
}

int strncmp(const char *left, const char *right, size_t size) {
  if (size == 0) return 0;
  for (; --size > 0 && *left != 0 && *left == *right; left++) right++;
  return (unsigned char)*left - (unsigned char)*right;
}

char *strcpy(char *restrict to, const char *restrict from) {
  memcpy(to, from, strlen(from) + 1);
  return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t size) {
  const size_t length = strnlen(from, size);
  memcpy(to, from, length);
  memset(to + length, 0, size - length);
  return to;
}

char *strcat(char *restrict to, const char *restrict from) {
  strcpy(to + strlen(to), from);
  return to;
}

char *strncat(char *restrict to, const char *restrict from, size_t size) {
  char *end = to + strlen(to);
  const size_t length = strnlen(from, size);
  memcpy(end, from, length);
  end[length] = 0;
  return to;
}

char *strdup(const char *text) { return strndup(text, SIZE_MAX); }

char *strndup(const char *text, size_t size) {
  const size_t length = strnlen(text, size);
  char *copy = malloc(length + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

char *strchr(const char *text, int c) {
  for (; *text != (char)c; text++) {
    if (*text == 0) return NULL;
  }
  return (char *)text;
}

char *strrchr(const char *text, int c) {
  for (size_t i = strlen(text) + 1; i-- > 0;) {
    if (text[i] == (char)c) return (char *)text + i;
  }
  return NULL;
}

char *strstr(const char *text, const char *part) {
  const size_t length = strlen(part);
  for (; strncmp(text, part, length) != 0; text++) {
    if (*text == 0) return NULL;
  }
  return (char *)text;
}

size_t strspn(const char *text, const char *accept) {
  size_t length = 0;
  while (text[length] != 0 && strchr(accept, text[length]) != NULL) length++;
  return length;
}

size_t strcspn(const char *text, const char *reject) {
  size_t length = 0;
  while (text[length] != 0 && strchr(reject, text[length]) == NULL) length++;
  return length;
}

char *strpbrk(const char *text, const char *accept) {
  text += strcspn(text, accept);
  return *text == 0 ? NULL : (char *)text;
}

char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state) {
  if (text == NULL) text = *state;
  text += strspn(text, separators);
  if (*text == 0) {
    *state = text;
    return NULL;
  }
  char *end = text + strcspn(text, separators);
  *state = end + (*end != 0);
  *end = 0;
  return text;
}
