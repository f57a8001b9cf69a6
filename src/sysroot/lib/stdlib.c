#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int abs(int value) { return value < 0 ? -value : value; }
long labs(long value) { return value < 0 ? -value : value; }
long long llabs(long long value) { return value < 0 ? -value : value; }

static int digit_value(char c) {
  if (isdigit(c)) return c - '0';
  if (isalpha(c)) return (c | 32) - 'a' + 10;
  return INT_MAX;
}

// The magnitude of the number at `text`; saturates at `limit` (plus one when negative) and says so in errno.
static unsigned long parse(const char *text, char **end, int base, unsigned long limit, bool *negative) {
  const char *in = text;
  while (isspace(*in)) in++;
  *negative = *in == '-';
  if (*in == '-' || *in == '+') in++;
  const bool prefixed = in[0] == '0' && (in[1] | 32) == 'x' && digit_value(in[2]) < 16;
  if ((base == 0 || base == 16) && prefixed) {
    in += 2;
    base = 16;
  } else if (base == 0) {
    base = *in == '0' ? 8 : 10;
  }
  const char *const first = in;
  unsigned long value = 0;
  bool overflow = false;
  for (int digit; (digit = digit_value(*in)) < base; in++) {
    unsigned long next;
    overflow |= __builtin_mul_overflow(value, (unsigned long)base, &next);
    overflow |= __builtin_add_overflow(next, (unsigned long)digit, &value);
  }
  if (end != NULL) *end = (char *)(in == first ? text : in);
  if (*negative && limit == LONG_MAX) limit++;
  if (!overflow && value <= limit) return value;
  errno = ERANGE;
  return limit;
}

long strtol(const char *text, char **end, int base) {
  bool negative;
  const unsigned long value = parse(text, end, base, LONG_MAX, &negative);
  return (long)(negative ? -value : value);
}

unsigned long strtoul(const char *text, char **end, int base) {
  bool negative;
  const unsigned long value = parse(text, end, base, ULONG_MAX, &negative);
  return negative && value != ULONG_MAX ? -value : value;
}

long long strtoll(const char *text, char **end, int base) { return strtol(text, end, base); }
unsigned long long strtoull(const char *text, char **end, int base) { return strtoul(text, end, base); }
int atoi(const char *text) { return (int)strtol(text, NULL, 10); }
long atol(const char *text) { return strtol(text, NULL, 10); }
long long atoll(const char *text) { return strtol(text, NULL, 10); }

// Marsaglia's 64-bit xorshift with a multiplied output ("Xorshift RNGs", 2003; Vigna's star variant).
static uint64_t rand_state = 1;

void srand(unsigned seed) { rand_state = seed + 1ul; }

int rand(void) {
  rand_state ^= rand_state >> 12;
  rand_state ^= rand_state << 25;
  rand_state ^= rand_state >> 27;
  return (int)((rand_state * 0x2545f4914f6cdd1dul) >> 33);
}

static void swap(char *left, char *right, size_t size) {
  while (size-- > 0) {
    const char kept = *left;
    *left++ = *right;
    *right++ = kept;
  }
}

static void sift_down(char *base, size_t at, size_t count, size_t size, __compare_function *compare) {
  for (size_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0) child++;
    if (compare(base + at * size, base + child * size) >= 0) return;
    swap(base + at * size, base + child * size, size);
  }
}

// Heapsort: no recursion, no memory, and no input that makes it slow.
void qsort(void *base, size_t count, size_t size, __compare_function *compare) {
  for (size_t at = count / 2; at-- > 0;) sift_down(base, at, count, size, compare);
  for (size_t left = count; left > 1;) {
    left--;
    swap(base, (char *)base + left * size, size);
    sift_down(base, 0, left, size, compare);
  }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size, __compare_function *compare) {
  const char *low = base;
  while (count > 0) {
    const char *middle = low + count / 2 * size;
    const int order = compare(key, middle);
    if (order == 0) return (void *)middle;
    if (order > 0) {
      low = middle + size;
      count -= count / 2 + 1;
    } else {
      count /= 2;
    }
  }
  return NULL;
}
