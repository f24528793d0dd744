/*
 * The registrar's index with a thousand users, and with more, up to a million: CPU time to find one by name and to refresh a
 * binding, names compared on the way, and memory for each user.
 *
 * Users are asked for in an order that no cache foresees. So with many users a look-up waits for memory a few times, however
 * it is built; what would grow with their number are the names compared. Beside it stands what one wait takes: a read of as much
 * memory as the index has, at a place that the read before tells.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/heap.h"
#include "base/mem.h"
#include "registrar/bindings.h"

enum {
    USERS_MOST = 1000000,
    ASKED = 1000000,
    ROUNDS = 5,
    DIGITS = 8,
    BEGUN_MS = 1000000,
    LINE_BYTES = 64
};

static const uint32_t sizes[] = { 1000, 10000, 100000, USERS_MOST };

static char name[] = "sip:+4930########@voice.example.com";
static char contact[] = "sip:+4930########@192.168.100.23:5062;line=7a3f;transport=udp";
static char call_id[] = "3c26701ed2a4-########@192-168-100-23";

static void
number_write(char *text, uint32_t number)
{
    char *to = strchr(text, '0') + 1; /* behind +4930 */

    for (int i = DIGITS - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
}

static struct span
user(uint32_t number)
{
    number_write(name, number);
    return (struct span){ name, sizeof name - 1 };
}

/* Each number below len once, in an order without a pattern: steps of a length that has no divisor in common with len. */
static uint32_t
scattered(uint64_t n, uint32_t len)
{
    return (uint32_t)(n * UINT64_C(2654435761) % len);
}

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
nobody_hears(void *self, const struct fact *fact)
{
    (void)self;
    (void)fact;
}

static bool
is_watched(void *self)
{
    (void)self;
    return false;
}

static struct span
listener(void *self, uint16_t number)
{
    (void)self;
    (void)number;
    return (struct span){ NULL, 0 };
}

static void
must(bool holds)
{
    if (holds)
        return;
    fprintf(stderr, "bindings: out of memory\n");
    exit(1);
}

static void
put(struct bindings *index, uint32_t number)
{
    struct store_row row = { .aor = user(number),
                             .contact = { contact, sizeof contact - 1 },
                             .call_id = { call_id, sizeof call_id - 1 },
                             .user_agent = SPAN("snom370/8.7.5.35"),
                             .source = { .transport = HOP_UDP, .port = 5062 },
                             .granted_s = 3600,
                             .q = STORE_NO_Q };
    struct binding *b;
    struct aor *aor;

    number_write(contact, number);
    memcpy(call_id + 13, name + 9, DIGITS);
    memcpy(row.source.ip + 12, &number, sizeof number); /* each from an address of its own */
    aor = bindings_get(index, row.aor);
    b = aor ? binding_new(&row, BEGUN_MS + 1000 * (1 + number % 3600)) : NULL;
    must(b);
    bindings_put(index, aor, &b, BEGUN_MS);
}

/* Names that a look-up compares, those of others with the same hash's bucket among them. */
static double
compared(struct bindings *index, uint32_t len)
{
    const struct aor *aor;
    size_t place = 0;
    double sum = 0;

    bindings_walk_begin(index);
    while (bindings_walk(index, &place, &aor)) {
        double before = 0;

        for (; aor; aor = bindings_after(aor))
            sum += ++before;
    }
    bindings_walk_end(index);
    return sum / len;
}

struct cost {
    double find_ns, refresh_ns;
};

static struct cost
measure(struct bindings *index, uint32_t len)
{
    struct binding_again again = { .granted_s = 3600 };
    uint64_t found = 0;
    double begun = cpu_ns();
    struct cost cost;

    for (uint64_t i = 0; i < ASKED; i++)
        found += bindings_find(index, user(scattered(i, len)))->first != NULL;
    cost.find_ns = (cpu_ns() - begun) / ASKED;
    must(found == ASKED);
    begun = cpu_ns();
    for (uint64_t i = 0; i < ASKED; i++) {
        struct aor *aor = bindings_find(index, user(scattered(i, len)));

        again.deadline_ms = BEGUN_MS + 3600 * 1000 + i;
        bindings_refresh(index, aor, aor->first, &again, BEGUN_MS);
    }
    cost.refresh_ns = (cpu_ns() - begun) / ASKED;
    return cost;
}

/* One read that waits for the one before, in as much memory. */
static double
wait_ns(size_t bytes)
{
    uint32_t lines = (uint32_t)(bytes / LINE_BYTES), at = 0;
    char *block = mem_grow(NULL, bytes);
    const volatile unsigned char *read = (const unsigned char *)block;
    double begun;

    must(block);
    heap_scattered(block, bytes);
    memset(block, 0, bytes);
    begun = cpu_ns();
    for (uint64_t i = 0; i < ASKED; i++)
        at = (scattered(i, lines) + read[(size_t)at * LINE_BYTES]) % lines;
    begun = cpu_ns() - begun;
    must(at < lines);
    mem_free(block);
    return begun / ASKED;
}

static void
run(uint32_t len, struct heap *heap)
{
    const struct bindings_port port = { NULL, nobody_hears, is_watched, listener };
    const uint8_t key[16] = { 1, 2, 3 };
    size_t before = mallinfo2().uordblks;
    struct cost least = { 0, 0 };
    struct bindings *index = bindings_new(&port, key, BEGUN_MS);
    double bytes;

    must(index);
    for (uint32_t i = 0; i < len; i++) {
        put(index, i);
        if (i % 1024 == 0)
            heap_follow(heap); /* as a turn does */
    }
    bytes = (double)(mallinfo2().uordblks - before) / len;
    for (int round = 0; round < ROUNDS; round++) {
        struct cost cost = measure(index, len);

        least.find_ns = round == 0 || cost.find_ns < least.find_ns ? cost.find_ns : least.find_ns;
        least.refresh_ns =
            round == 0 || cost.refresh_ns < least.refresh_ns ? cost.refresh_ns : least.refresh_ns;
    }
    printf("%8u users: %4.0f ns to find one, %4.0f ns to find and refresh it, %.2f names compared, "
           "%.0f bytes each; a read of as much memory: %.0f ns\n",
           len, least.find_ns, least.refresh_ns, compared(index, len), bytes,
           wait_ns((size_t)bytes * len));
    bindings_free(&index);
}

int
main(void)
{
    struct heap heap = { NULL, NULL };

    heap_widen(&heap); /* as the server's does */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        run(sizes[i], &heap);
    return 0;
}
