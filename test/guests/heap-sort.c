// A sort that lives on the heap: a linked list of records with names of many lengths, merge-sorted, checked, and
// freed in another order, three times over so that freed blocks are used again; then an array sorted by qsort.
//
// Argument: records.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 600, PASSES = 3 };

struct record {
  struct record *next;
  uint64_t key;
  char *name;
};

// Knuth's 64-bit linear congruential generator (MMIX).
static uint64_t random_state = 42;
static uint64_t next_random(void) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return random_state >> 16;
}

static void *must(void *pointer) {
  if (pointer != NULL) return pointer;
  puts("out of memory");
  exit(2);
}

static struct record *make_list(size_t count) {
  struct record *list = NULL;
  for (size_t i = 0; i < count; i++) {
    struct record *record = must(malloc(sizeof *record));
    const size_t length = next_random() % 60 + 1;
    record->key = next_random() % (count * 4);
    record->name = must(malloc(length + 1));
    for (size_t k = 0; k < length; k++) record->name[k] = (char)('a' + (record->key + k) % 26);
    record->name[length] = 0;
    record->next = list;
    list = record;
  }
  return list;
}

static bool in_order(const struct record *left, const struct record *right) {
  if (left->key != right->key) return left->key < right->key;
  return strcmp(left->name, right->name) <= 0;
}

static struct record *merge(struct record *left, struct record *right) {
  struct record *list = NULL, **end = &list;
  while (left != NULL && right != NULL) {
    struct record **smaller = in_order(left, right) ? &left : &right;
    *end = *smaller;
    end = &(*smaller)->next;
    *smaller = (*smaller)->next;
  }
  *end = left != NULL ? left : right;
  return list;
}

static struct record *sort(struct record *list) {
  if (list == NULL || list->next == NULL) return list;
  struct record *middle = list;
  for (struct record *fast = list->next; fast != NULL && fast->next != NULL; fast = fast->next->next) {
    middle = middle->next;
  }
  struct record *right = middle->next;
  middle->next = NULL;
  return merge(sort(list), sort(right));
}

static uint64_t checksum(const struct record *list) {
  uint64_t sum = 0;
  for (; list != NULL; list = list->next) {
    if (list->next != NULL && !in_order(list, list->next)) {
      puts("not sorted");
      exit(1);
    }
    sum = sum * 31 + list->key + strlen(list->name);
  }
  return sum;
}

// Every second record goes first, names before records, so that no two neighbours are freed together.
static void free_list(struct record *list) {
  struct record *kept = NULL;
  for (bool keep = false; list != NULL; keep = !keep) {
    struct record *next = list->next;
    if (keep) {
      list->next = kept;
      kept = list;
    } else {
      free(list->name);
      free(list);
    }
    list = next;
  }
  while (kept != NULL) {
    struct record *next = kept->next;
    free(kept->name);
    free(kept);
    kept = next;
  }
}

static int compare_keys(const void *left, const void *right) {
  const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return a < b ? -1 : a > b;
}

static void sort_array(size_t count) {
  uint64_t *keys = NULL;
  size_t room = 0;
  for (size_t i = 0; i < count; i++) {
    if (i == room) {
      room = room * 2 + 4;
      keys = must(realloc(keys, room * sizeof *keys));
    }
    keys[i] = next_random();
  }
  qsort(keys, count, sizeof *keys, compare_keys);
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && keys[i - 1] > keys[i]) exit(1);
    sum = sum * 31 + keys[i];
  }
  printf("array: %016lx\n", sum);
  free(keys);
}

int main(int argc, char **argv) {
  const size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : RECORDS;
  for (int pass = 1; pass <= PASSES; pass++) {
    struct record *list = sort(make_list(count));
    printf("pass %d: %016lx\n", pass, checksum(list));
    free_list(list);
  }
  sort_array(count);
  return 0;
}
