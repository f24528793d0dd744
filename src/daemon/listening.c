/*
 * The sockets that we listen on. A new set is bound beside the old one, so that a refusal changes nothing; a listener that only
 * changes its names is closed and bound again, which costs no connection (net.h).
 */
#include "daemon/listening.h"

#include <stdio.h>

#include "base/mem.h"

static void
set_fini(struct listeners *set)
{
    for (size_t i = 0; i < set->len; i++)
        mem_free(set->at[i].advertise);
    mem_free(set->at);
    *set = (struct listeners){ 0 };
}

static bool
same_socket(const struct hop *a, const struct hop *b)
{
    return a->transport == b->transport && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool
same_names(const struct net_listen *a, const struct net_listen *b)
{
    return a->rport == b->rport && a->alias == b->alias && a->trains == b->trains &&
           span_eq(a->advertise, b->advertise);
}

/* The socket of ours that is this one already; each can be claimed once, as port 0 may stand there twice. */
static struct bound *
claim(struct listeners *set, const struct hop *at)
{
    for (size_t i = 0; i < set->len; i++)
        if (!set->at[i].claimed && set->at[i].id && same_socket(&set->at[i].spec.at, at)) {
            set->at[i].claimed = true;
            return &set->at[i];
        }
    return NULL;
}

/* net_expand's: a copy of spec at the end of the set. */
static int
add(void *arg, const struct net_listen *spec)
{
    struct listeners *set = arg;
    struct bound *at = mem_grow(set->at, (set->len + 1) * sizeof *at);
    char *advertise = mem_copy(spec->advertise);

    if (at)
        set->at = at;
    if (!at || !advertise) {
        mem_free(advertise);
        return SIPD_ENOMEM;
    }
    at[set->len] = (struct bound){ .spec = *spec, .advertise = advertise };
    at[set->len].spec.advertise.at = advertise;
    set->len++;
    return SIPD_OK;
}

/* All that a configuration stands for on this machine now. A wildcard may stand for nothing yet. */
static int
expand(const struct config *config, struct listeners *set)
{
    for (size_t i = 0; i < config->listens_len; i++) {
        size_t before = set->len;
        int err = net_expand(&config->listens[i], add, set);

        for (size_t k = before; k < set->len; k++)
            set->at[k].origin = i;
        if (err != SIPD_OK && err != SIPD_ENOENT)
            return err;
    }
    return SIPD_OK;
}

static const char *
remedy(const struct bound *bound, int err)
{
    if (err == SIPD_EEXIST)
        return "end the program that has it (ss -lnptu shows it), or choose another port";
    if (bound->spec.at.port > 0 && bound->spec.at.port < 1024)
        return "start sipd as root, or choose a port above 1023";
    return "look at the address with: ip address";
}

static void
complain(const struct config *config, const struct bound *bound, int err, const struct buf *said,
         struct buf *why)
{
    char text[HOP_TEXT_BYTES + 8], path[40];

    snprintf(path, sizeof path, "listen.[%zu]", bound->origin);
    config_complain(
        config, path, why, "%.*s: %.*s; %s", SPAN_ARG(config_listen_text(&bound->spec.at, text)),
        SPAN_ARG(said->len > 0 ? buf_span(said) : SPAN("cannot be bound")), remedy(bound, err));
}

/* config: where it is written. */
static int
bind_one(struct daemon *d, const struct config *config, struct bound *bound, struct buf *why)
{
    struct buf said;
    int err;

    buf_init(&said, 512);
    err = net_listen(d->net, &bound->spec, &bound->id, &said);
    bound->is_new = err == SIPD_OK;
    if (err != SIPD_OK) {
        bound->id = 0;
        complain(config, bound, err, &said, why);
    }
    buf_fini(&said);
    return err;
}

/* Its socket is there already with other names: these are given up first, and taken again if the new ones are refused. */
static int
rename_one(struct daemon *d, const struct config *config, struct bound *bound, struct bound *old,
           struct buf *why)
{
    struct buf unsaid;
    int err;

    net_unlisten(d->net, old->id);
    old->id = 0;
    err = bind_one(d, config, bound, why);
    if (err == SIPD_OK)
        return SIPD_OK;
    buf_init(&unsaid, 512);
    bind_one(d, d->config, old, &unsaid);
    old->is_new = false;
    buf_fini(&unsaid);
    return err;
}

static int
put_in_place(struct daemon *d, const struct config *config, struct bound *bound, struct buf *why)
{
    struct bound *old = claim(&d->listeners, &bound->spec.at);

    if (!old)
        return bind_one(d, config, bound, why);
    if (!same_names(&old->spec, &bound->spec))
        return rename_one(d, config, bound, old, why);
    bound->id = old->id;
    return SIPD_OK;
}

/* all: one refusal ends it; else the others are bound nevertheless. */
static int
prepare(struct daemon *d, const struct config *config, bool all, struct buf *why)
{
    int err = expand(config, &d->next), its;

    for (size_t i = 0; i < d->listeners.len; i++)
        d->listeners.at[i].claimed = false;
    for (size_t i = 0; i < d->next.len && err == SIPD_OK; i++) {
        its = put_in_place(d, config, &d->next.at[i], why);
        err = all ? its : SIPD_OK;
    }
    return err;
}

int
listening_prepare(struct daemon *d, const struct config *config, struct buf *why)
{
    int err = prepare(d, config, true, why);

    if (err != SIPD_OK)
        listening_roll_back(d);
    return err;
}

static bool
has_id(const struct listeners *set, uint16_t id)
{
    for (size_t i = 0; i < set->len; i++)
        if (set->at[i].id == id)
            return true;
    return false;
}

void
listening_commit(struct daemon *d)
{
    for (size_t i = 0; i < d->listeners.len; i++)
        if (d->listeners.at[i].id && !has_id(&d->next, d->listeners.at[i].id))
            net_unlisten(d->net, d->listeners.at[i].id);
    for (size_t i = 0; i < d->next.len; i++)
        d->next.at[i].is_new = false;
    set_fini(&d->listeners);
    d->listeners = d->next;
    d->next = (struct listeners){ 0 };
}

void
listening_roll_back(struct daemon *d)
{
    struct buf unsaid;

    for (size_t i = 0; i < d->next.len; i++)
        if (d->next.at[i].is_new)
            net_unlisten(d->net, d->next.at[i].id);
    set_fini(&d->next);
    buf_init(&unsaid, 512);
    for (size_t i = 0; i < d->listeners.len; i++)
        if (d->listeners.at[i].claimed && !d->listeners.at[i].id)
            bind_one(d, d->config, &d->listeners.at[i], &unsaid);
    buf_fini(&unsaid);
}

void
listening_follow(struct daemon *d)
{
    struct buf why;
    struct span text;

    buf_init(&why, 1 << 16);
    if (prepare(d, d->config, false, &why) == SIPD_OK)
        listening_commit(d);
    else
        listening_roll_back(d);
    text = span_trim(buf_span(&why));
    if (text.len > 0)
        log_spans(&d->log, LOG_LVL_WARN, "not-listening", "why", &text, NULL);
    buf_fini(&why);
}

void
listening_fini(struct daemon *d)
{
    for (size_t i = 0; i < d->listeners.len; i++)
        if (d->listeners.at[i].id)
            net_unlisten(d->net, d->listeners.at[i].id);
    set_fini(&d->listeners);
}
