/*
 * The small services: memory, words of failure, time, chance, secrets, counters, log lines, names and places of the server.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/mem.h"
#include "host/state.h"

/* ---- memory */

struct block {
    struct list link;
    max_align_t bytes[];
};

void *
sipd_new(struct sipd_host *host, size_t bytes)
{
    struct block *block = bytes <= SIZE_MAX / 2 ? mem_new(sizeof *block + bytes) : NULL;

    if (!block)
        return NULL;
    list_push(&host->memory, &block->link);
    return block->bytes;
}

void
memory_forget(struct sipd_host *owner)
{
    struct list *node;

    while ((node = list_shift(&owner->memory)))
        mem_free(container_of(node, struct block, link));
}

void *
sipd_alloc(size_t bytes)
{
    return mem_new(bytes);
}

void *
sipd_realloc(void *block, size_t bytes)
{
    return mem_grow(block, bytes);
}

void
sipd_free(void *block)
{
    mem_free(block);
}

uint64_t
sipd_lost_pages(void)
{
    return fault_count();
}

void
sipd_complain(struct sipd_host *host, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(host->complaint, sizeof host->complaint, format, args);
    va_end(args);
}

bool
sipd_is_trial(struct sipd_host *host)
{
    return !host->host->core;
}

/* ---- time, chance, secrets */

uint64_t
sipd_now_ms(struct sipd_host *host)
{
    return host->host->ports.clock->now_ms;
}

int64_t
sipd_wall_s(struct sipd_host *host)
{
    return host->host->ports.clock->wall_s;
}

uint64_t
sipd_random(struct sipd_host *host)
{
    return rand_u64(host->host->ports.rand);
}

/* The lowest byte first, as a node of another byte order must make the same of it. */
static uint64_t
lowest_first(uint64_t number)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    return number;
}

static void
bytes_of(uint64_t lo, uint64_t hi, uint8_t out[16])
{
    const uint64_t numbers[2] = { lowest_first(lo), lowest_first(hi) };

    memcpy(out, numbers, sizeof numbers);
}

static uint64_t
number_of(const uint8_t bytes[8])
{
    uint64_t number;

    memcpy(&number, bytes, sizeof number);
    return lowest_first(number);
}

void
sipd_secret(struct sipd_host *host, struct span use, uint8_t key[16])
{
    struct prf_key secret = prf_derive(&host->host->key, use);

    bytes_of(secret.k0, secret.k1, key);
}

void
sipd_prf(const uint8_t key[16], struct span bytes, uint8_t out[16])
{
    struct prf_key under = { number_of(key), number_of(key + 8) };
    struct prf_out hash = prf_wide(&under, bytes);

    bytes_of(hash.lo, hash.hi, out);
}

uint64_t
sipd_hash(const uint8_t key[16], struct span bytes)
{
    const struct prf_key under = { number_of(key), number_of(key + 8) };

    return prf_hash(&under, bytes);
}

/* ---- counters and log */

uint64_t *
sipd_counter(struct sipd_host *host, const char *name)
{
    return counters_get(host->host->ports.counters, name);
}

/* A NULL key ends the pairs, so all that were not given may be handed on. */
void
sipd_log(struct sipd_host *host, int level, const char *event, ...)
{
    enum { PAIRS = 10 };
    const char *key[PAIRS] = { NULL };
    struct span value[PAIRS] = { { NULL, 0 } }, module = span_of(host->is->name);
    const struct log *log = host->host->ports.log;
    enum log_level line = level <= 0   ? LOG_LVL_ERROR
                          : level >= 3 ? LOG_LVL_DEBUG
                                       : (enum log_level)level;
    va_list args;

    if (!log_on(log, line))
        return;
    va_start(args, event);
    for (size_t i = 0; i < PAIRS && (key[i] = va_arg(args, const char *)); i++)
        value[i] = span_of(va_arg(args, const char *));
    va_end(args);
    log_spans(log, line, event, "module", &module, key[0], &value[0], key[1], &value[1], key[2],
              &value[2], key[3], &value[3], key[4], &value[4], key[5], &value[5], key[6], &value[6],
              key[7], &value[7], key[8], &value[8], key[9], &value[9], NULL);
}

/* ---- names and places */

bool
sipd_is_ours(struct sipd_host *host, struct span domain, uint16_t port)
{
    const struct host_ports *ports = &host->host->ports;

    return ports->is_ours(ports->io, domain, port);
}

struct span
sipd_domain(struct sipd_host *host, size_t n)
{
    const struct host_ports *ports = &host->host->ports;

    return ports->domain(ports->io, n);
}

int
sipd_path(struct sipd_host *host, struct span path, char *to, size_t room)
{
    struct span dir = path.len > 0 && path.at[0] == '/' ? SPAN("") : host->host->ports.state_dir;
    size_t slash = dir.len > 0;

    if (dir.len + slash + path.len + 1 > room)
        return SIPD_ETOOBIG;
    memcpy(to, dir.len > 0 ? dir.at : "", dir.len);
    if (slash)
        to[dir.len] = '/';
    memcpy(to + dir.len + slash, path.len > 0 ? path.at : "", path.len);
    to[dir.len + slash + path.len] = '\0';
    return SIPD_OK;
}

struct span
sipd_listener_text(struct sipd_host *host, uint16_t listener)
{
    const struct host_ports *ports = &host->host->ports;

    return ports->listener_text(ports->io, listener);
}

uint16_t
sipd_listener_find(struct sipd_host *host, struct span text)
{
    const struct host_ports *ports = &host->host->ports;

    return ports->listener_find(ports->io, text);
}
