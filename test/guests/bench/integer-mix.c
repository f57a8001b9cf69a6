// Integer work of three kinds in turn, as embedded benchmarks mix it: a linked list searched, reversed and sorted, small
// matrices multiplied, and a state machine that scans text for numbers. A checksum (CRC-16) joins them.
//
// Argument: rounds.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 30, ITEMS = 40, SIDE = 10, TEXT_BYTES = 256 };

struct item {
  struct item *next;
  int16_t key;
  int16_t tag;
};

static struct item items[ITEMS];
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];
static char text[TEXT_BYTES];

// CRC-16 with the reversed polynomial 0xa001 of CRC-16/ARC, a bit at a time.
static uint16_t crc(uint16_t sum, uint32_t value) {
  for (int bit = 0; bit < 32; bit++, value >>= 1) {
    const uint32_t carry = (sum ^ value) & 1;
    sum >>= 1;
    if (carry != 0) sum ^= 0xa001;
  }
  return sum;
}

static struct item *reverse(struct item *list) {
  struct item *done = NULL;
  while (list != NULL) {
    struct item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

static struct item *find(struct item *list, int16_t key) {
  while (list != NULL && list->key != key) list = list->next;
  return list;
}

static int by_key(const struct item *a, const struct item *b) { return a->key - b->key; }
static int by_tag(const struct item *a, const struct item *b) { return a->tag - b->tag; }

// Merge sort from the bottom: runs of one, two, four … items.
static struct item *sort(struct item *list, int (*compare)(const struct item *, const struct item *)) {
  for (int width = 1;; width *= 2) {
    struct item *rest = list, **end = &list;
    int merges = 0;
    while (rest != NULL) {
      struct item *a = rest;
      int a_left = 0, b_left = width;
      for (; rest != NULL && a_left < width; a_left++) rest = rest->next;
      struct item *b = rest;
      merges++;
      while (a_left > 0 || (b_left > 0 && b != NULL)) {
        const int take_a = a_left > 0 && (b_left == 0 || b == NULL || compare(a, b) <= 0);
        struct item **from = take_a ? &a : &b;
        *end = *from;
        end = &(*from)->next;
        *from = (*from)->next;
        if (take_a) a_left--;
        else b_left--;
      }
      rest = b;
    }
    *end = NULL;
    if (merges <= 1) return list;
  }
}

static uint16_t list_work(int round, uint16_t sum) {
  struct item *list = NULL;
  for (int i = 0; i < ITEMS; i++) {
    items[i].key = (int16_t)((i * 37 + round * 11) % 101);
    items[i].tag = (int16_t)i;
    items[i].next = list;
    list = &items[i];
  }
  for (int key = 0; key < 16; key++) {
    const struct item *found = find(list, (int16_t)(key * 6));
    list = reverse(list);
    sum = crc(sum, found == NULL ? 0xffff : (uint32_t)found->tag);
  }
  list = sort(list, by_key);
  for (const struct item *at = list; at != NULL; at = at->next) sum = crc(sum, (uint32_t)at->key);
  list = sort(list, by_tag);
  return crc(sum, (uint32_t)list->key);
}

static uint16_t matrix_work(int round, uint16_t sum) {
  for (int i = 0; i < SIDE; i++) {
    for (int k = 0; k < SIDE; k++) {
      left[i][k] = (int16_t)(i * SIDE + k + round);
      right[i][k] = (int16_t)(left[i][k] * 3 ^ round);
    }
  }
  for (int i = 0; i < SIDE; i++) {
    for (int k = 0; k < SIDE; k++) {
      int32_t cell = 0;
      for (int m = 0; m < SIDE; m++) cell += (int32_t)left[i][m] * right[m][k];
      product[i][k] = cell;
    }
  }
  int32_t total = 0;
  for (int i = 0; i < SIDE; i++) {
    for (int k = 0; k < SIDE; k++) total += (product[i][k] >> 2 & 15) * (product[i][k] >> 5 & 127);
  }
  return crc(sum, (uint32_t)total);
}

enum state { START, SIGN, WHOLE, POINT, FRACTION, EXPONENT, SCIENTIFIC, INVALID, STATES };

static enum state step(enum state state, char c) {
  const int digit = c >= '0' && c <= '9';
  switch (state) {
    case START: return digit ? WHOLE : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN: return digit ? WHOLE : c == '.' ? POINT : INVALID;
    case WHOLE: return digit ? WHOLE : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case POINT: return digit ? FRACTION : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? SCIENTIFIC : c == '-' ? EXPONENT : INVALID;
    case SCIENTIFIC: return digit ? SCIENTIFIC : INVALID;
    default: return INVALID;
  }
}

static uint16_t state_work(int round, uint16_t sum) {
  static const char *const words[] = {"5012", "-874", "+122", "1.5e-3", "-.125", "3e25", "T0.3e-1F", "12..5"};
  uint32_t entered[STATES] = {0}, ended[STATES] = {0};
  size_t size = 0;
  for (int i = round;; i = i * 5 + 3) {
    const char *word = words[i & 7];
    size_t length = 0;
    while (word[length] != 0) length++;
    if (size + length + 1 >= TEXT_BYTES) break;
    for (size_t k = 0; k < length; k++) text[size++] = word[k];
    text[size++] = ',';
  }
  enum state state = START;
  for (size_t i = 0; i < size; i++) {
    if (text[i] == ',') {
      ended[state]++;
      state = START;
      continue;
    }
    const enum state next = step(state, text[i]);
    if (next != state) entered[next]++;
    state = next;
  }
  for (int i = 0; i < STATES; i++) sum = crc(crc(sum, entered[i]), ended[i]);
  return sum;
}

int main(int argc, char **argv) {
  const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
  uint16_t sum = 0;
  for (long i = 0; i < rounds; i++) {
    const int round = (int)(i & 1023);
    sum = list_work(round, sum);
    sum = matrix_work(round, sum);
    sum = state_work(round, sum);
  }
  printf("%04x\n", sum);
  return 0;
}
