// Two producers send numbered messages of many sizes through channels to one consumer, which waits for either,
// checks order and contents, and returns a credit for each so that queues stay short.
//
// Argument: messages of each producer.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/object.h>

enum { PRODUCERS = 2, MESSAGES = 150, CREDITS = 8, SIZE_MAX_BYTES = 128 };

struct message {
  uint32_t number;
  uint32_t size;
  uint8_t body[SIZE_MAX_BYTES];
};

static int messages = MESSAGES;

static void check(zx_status_t status, const char *what) {
  if (status == ZX_OK) return;
  printf("%s: status %d\n", what, status);
  exit(2);
}

static void fill(struct message *message, uint32_t number) {
  message->number = number;
  message->size = number * 7 % SIZE_MAX_BYTES + 1;
  for (uint32_t i = 0; i < message->size; i++) message->body[i] = (uint8_t)(number + i);
}

static void take_credit(zx_handle_t channel) {
  char credit;
  for (;;) {
    const zx_status_t status = zx_channel_read(channel, 0, &credit, NULL, 1, 0, NULL, NULL);
    if (status == ZX_OK) return;
    if (status != ZX_ERR_SHOULD_WAIT) check(status, "credit");
    check(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL), "wait for credit");
  }
}

static int producer_main(void *argument) {
  const zx_handle_t channel = *(zx_handle_t *)argument;
  zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, "producer", 8);
  struct message message;
  for (int i = 0; i < messages; i++) {
    if (i >= CREDITS) take_credit(channel);
    fill(&message, (uint32_t)i);
    check(zx_channel_write(channel, 0, &message, 8 + message.size, NULL, 0), "write");
  }
  zx_handle_close(channel);
  return 0;
}

// Reads one message from a producer; false when that producer is done.
static bool consume(zx_handle_t channel, uint32_t number, uint64_t *bytes) {
  struct message got, want;
  uint32_t size;
  const zx_status_t status = zx_channel_read(channel, 0, &got, NULL, sizeof got, 0, &size, NULL);
  if (status == ZX_ERR_PEER_CLOSED) return false;
  check(status, "read");
  fill(&want, number);
  if (size != 8 + want.size || memcmp(&got, &want, size) != 0) {
    printf("message %u is wrong\n", number);
    exit(1);
  }
  *bytes += want.size;
  // The producer may have left after its last message.
  const zx_status_t credit = zx_channel_write(channel, 0, "c", 1, NULL, 0);
  if (credit != ZX_ERR_PEER_CLOSED) check(credit, "give credit");
  return true;
}

int main(int argc, char **argv) {
  if (argc > 1) messages = atoi(argv[1]);
  static zx_handle_t ends[PRODUCERS];
  zx_wait_item_t items[PRODUCERS];
  thrd_t threads[PRODUCERS];
  for (int i = 0; i < PRODUCERS; i++) {
    items[i].waitfor = ZX_CHANNEL_READABLE | ZX_CHANNEL_PEER_CLOSED;
    check(zx_channel_create(0, &items[i].handle, &ends[i]), "channel");
    if (thrd_create(&threads[i], producer_main, &ends[i]) != thrd_success) return 2;
  }
  uint32_t counts[PRODUCERS] = {0};
  uint64_t bytes = 0;
  for (int open = PRODUCERS; open > 0;) {
    check(zx_object_wait_many(items, PRODUCERS, ZX_TIME_INFINITE), "wait");
    for (int i = 0; i < PRODUCERS; i++) {
      if (items[i].waitfor == 0 || items[i].pending == 0) continue;
      if ((items[i].pending & items[i].waitfor) == 0) continue;
      if (consume(items[i].handle, counts[i], &bytes)) {
        counts[i]++;
      } else {
        items[i].waitfor = 0;
        open--;
      }
    }
  }
  for (int i = 0; i < PRODUCERS; i++) {
    thrd_join(threads[i], NULL);
    printf("producer %d: %u messages\n", i + 1, counts[i]);
  }
  printf("%lu bytes in order\n", bytes);
  return 0;
}
