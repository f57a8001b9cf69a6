// Memory blocks and NUL-terminated strings.
#ifndef JACINTH_STRING_H
#define JACINTH_STRING_H
#include <stddef.h>

void *memchr(const void *block, int c, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *block, int c, size_t size);

char *strcat(char *restrict to, const char *restrict from);
char *strchr(const char *text, int c);
int strcmp(const char *left, const char *right);
char *strcpy(char *restrict to, const char *restrict from);
size_t strcspn(const char *text, const char *reject);
char *strdup(const char *text);
size_t strlen(const char *text);
char *strncat(char *restrict to, const char *restrict from, size_t size);
int strncmp(const char *left, const char *right, size_t size);
char *strncpy(char *restrict to, const char *restrict from, size_t size);
char *strndup(const char *text, size_t size);
size_t strnlen(const char *text, size_t size);
char *strpbrk(const char *text, const char *accept);
char *strrchr(const char *text, int c);
size_t strspn(const char *text, const char *accept);
char *strstr(const char *text, const char *part);
char *strtok_r(char *restrict text, const char *restrict separators, char **restrict state);

#endif
