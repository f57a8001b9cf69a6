// What the C runtime computes: formatting, conversion, strings, sorting, mathematics. Nothing but standard C, so that
// any other C library must print the same.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 7;
static uint64_t next_random(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return random_state ^ random_state >> 32;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
  for (; *text != 0; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
  return hash;
}

static void integers(void) {
  printf("[%d] [%i] [%u] [%o] [%x] [%X] [%c] [%%]\n", -42, 42, 42u, 42u, 0xbeefu, 0xbeefu, 'z');
  printf("[%5d] [%-5d] [%05d] [%+d] [% d] [%+5d] [%-+5d|]\n", 42, 42, 42, 42, 42, 42, 42);
  printf("[%.5d] [%8.5d] [%-8.5d] [%.0d] [%+.0d]\n", 42, 42, -42, 0, 0);
  printf("[%#x] [%#X] [%#o] [%#x] [%#o] [%#10x] [%#010x]\n", 255u, 255u, 8u, 0u, 0u, 255u, 255u);
  printf("[%hhd] [%hd] [%hhu] [%hu] [%ld] [%lld]\n", (signed char)-56, (short)-31072, (unsigned char)200,
         (unsigned short)34464, LONG_MIN, LLONG_MAX);
  printf("[%lu] [%llx] [%zu] [%jd] [%td]\n", ULONG_MAX, ULLONG_MAX, sizeof(int), INTMAX_MIN, (ptrdiff_t)-5);
  printf("[%*d] [%-*d] [%.*d] [%*.*d]\n", 6, 42, 6, 42, 4, 42, 8, 4, 42);
  printf("[%" PRId64 "] [%" PRIx32 "] [%" PRIu8 "]\n", INT64_MIN, UINT32_MAX, UINT8_MAX);
}

static void strings(void) {
  printf("[%s] [%10s] [%-10s] [%.2s] [%10.2s] [%c%5c%-5c]\n", "text", "text", "text", "text", "text", 'a', 'b', 'c');
  char buffer[8];
  const int needed = snprintf(buffer, sizeof buffer, "%s", "longer than eight");
  printf("[%s] %d\n", buffer, needed);
  printf("%d\n", snprintf(NULL, 0, "%d", 12345));
  printf("%zu %d %d %d\n", strlen("abc"), strcmp("abc", "abd") < 0, strncmp("abc", "abd", 2), strcmp("b", "a") > 0);
  char text[32] = "one";
  strcat(strcpy(text + 3, " two"), " three");
  printf("%s|%s|%s|%s\n", text, strchr(text, 't'), strrchr(text, 't'), strstr(text, "two"));
  printf("%zu %zu %s\n", strspn("aabbc", "ab"), strcspn("hello, you", ", "), strpbrk("hello, you", ", "));
  char list[] = ",,red,green,,blue,";
  char *state, *token = strtok_r(list, ",", &state);
  for (; token != NULL; token = strtok_r(NULL, ",", &state)) printf("<%s>", token);
  printf("\n");
  memset(text, '-', sizeof text);
  strncpy(text, "ab", 5);
  printf("%d%d%d%d %c\n", text[2], text[3], text[4], memcmp("a\0b", "a\0c", 3) < 0, text[5]);
  char *copy = strndup("duplicate", 3);
  printf("%s %s\n", copy, (char *)memchr("find me", 'm', 7));
  free(copy);
}

static void moves(void) {
  unsigned char block[96], wanted[96];
  uint64_t wrong = 0;
  for (int round = 0; round < 300; round++) {
    const size_t from = next_random() % 48, to = next_random() % 48, size = next_random() % 48;
    for (size_t i = 0; i < sizeof block; i++) block[i] = wanted[i] = (unsigned char)next_random();
    for (size_t i = 0; i < size; i++) wanted[to + i] = block[from + i];
    memmove(block + to, block + from, size);
    wrong += memcmp(block, wanted, sizeof block) != 0;
    memset(block + from, (int)size, size);
    for (size_t i = 0; i < size; i++) wrong += block[from + i] != size;
  }
  printf("%" PRIu64 " wrong moves\n", wrong);
}

static void conversions(void) {
  char *end;
  const long hex = strtol("  -0x7fz", &end, 0);
  printf("%ld %s\n", hex, end);
  printf("%ld %ld %ld\n", strtol("0777", NULL, 0), strtol("zz", NULL, 36), strtol("0x", &end, 16));
  printf("[%s] %d %ld\n", end, atoi("12ab"), atol("-9000000000"));
  errno = 0;
  const long big = strtol("99999999999999999999", NULL, 10);
  const long small = strtol("-9223372036854775808", NULL, 10);
  printf("%ld %d %ld %lu\n", big, errno == ERANGE, small, strtoul("18446744073709551615", NULL, 10));
  printf("%d%d%d%d %c%c\n", !!isdigit('5'), !!isalpha('_'), !!isspace('\v'), !!isxdigit('G'), toupper('q'), tolower('Q'));
}

static void floats(void) {
  printf("[%f] [%.0f] [%.1f] [%10.3f] [%-10.3f] [%+.2f] [%08.2f]\n", 3.14159, 2.5, 0.25, 2.71828, 2.71828, 1.005, -1.5);
  printf("[%e] [%.0e] [%E] [%.3e] [%#.0f] [%#.0e]\n", 12345.678, 15.0, 1e-10, 0.0, 1.0, 1.0);
  printf("[%g] [%g] [%g] [%g] [%G] [%.3g] [%#g] [%g] [%.0g]\n", 100000.0, 1000000.0, 0.0001, 0.00001, 1e-5, 1234.5, 1.0,
         0.0, 15.0);
  printf("[%f] [%F] [%5.1f] [%-6f] [%06f] [%e]\n", INFINITY, -INFINITY, (double)NAN, INFINITY, INFINITY, -0.0);
  printf("[%.20f] [%.17g] [%.30e]\n", 0.1, 0.1, 1.0 / 3);
  printf("[%.0f] [%f]\n", 1.7976931348623157e308, 5e-324);
  printf("[%.3g] [%g] [%.1000g]\n", 9.9995, 999999.5, 4.9406564584124654e-324);
}

// Every kind of double in every style: one hash stands for thousands of lines.
static void many_floats(void) {
  static const char styles[] = "efgEFG";
  uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < 120; i++) {
    uint64_t bits = next_random();
    // Every second one near one, where most programs live.
    if (i % 2 == 0) bits = (bits & ~(0x7ffull << 52)) | (1023 - 30 + next_random() % 60) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    if (value != value) continue;
    const int width = (int)(next_random() % 30), precision = (int)(next_random() % 25);
    char format[16], text[512];
    snprintf(format, sizeof format, "%%%d.%d%c", width, precision, styles[i % 6]);
    snprintf(text, sizeof text, format, value);
    hash = hash_text(hash, text);
  }
  printf("%016" PRIx64 "\n", hash);
}

static int compare_ints(const void *left, const void *right) {
  const int a = *(const int *)left, b = *(const int *)right;
  return (a > b) - (a < b);
}

static void sorting(void) {
  int values[100];
  for (int i = 0; i < 100; i++) values[i] = (int)(next_random() % 500);
  qsort(values, 100, sizeof *values, compare_ints);
  int ordered = 0;
  for (int i = 1; i < 100; i++) ordered += values[i - 1] <= values[i];
  const int *found = bsearch(&values[50], values, 100, sizeof *values, compare_ints);
  const int missing = -1;
  printf("%d %d %d\n", ordered, *found == values[50], bsearch(&missing, values, 100, sizeof *values, compare_ints) == NULL);
}

static void mathematics(void) {
  static const double values[] = {0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 4503599627370497.5, 1e300, -7.25, 0x1p-1074};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    const double x = values[i];
    printf("%g: %g %g %g %g %g %.17g\n", x, floor(x), ceil(x), trunc(x), round(x), fabs(x), x < 0 ? 0 : sqrt(x));
  }
  printf("%.17g %.17g %.17g %.17g\n", fmod(5.3, 2), fmod(-5.3, 2), fmod(1e300, 3), fmod(0x1p-1070, 0x3p-1074));
  printf("%g %g %g %.17g\n", fmin(1, 2), fmax(NAN, 2), copysign(3, -0.0), fma(0.1, 10, -1));
  uint64_t hash = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t bits = next_random() & ~(1ull << 63), other = next_random() & ~(1ull << 63);
    bits %= 0x7ffull << 52;
    other %= 0x7ffull << 52;
    double x, y;
    memcpy(&x, &bits, sizeof x);
    memcpy(&y, &other, sizeof y);
    const double results[] = {fmod(x, y), sqrt(x), floor(x), round(y)};
    uint64_t words[4];
    memcpy(words, results, sizeof words);
    for (int k = 0; k < 4; k++) hash = (hash ^ words[k]) * 1099511628211u;
  }
  printf("%016" PRIx64 "\n", hash);
}

int main(void) {
  integers();
  strings();
  moves();
  conversions();
  floats();
  many_floats();
  sorting();
  mathematics();
  return 0;
}
