/*
 * One URI on its way to its hops: the procedure of RFC 3263 §4, from its first question to its last answer.
 *
 * Each time that something is answered it begins anew with what is known by then; what was answered since it began counts, be
 * its time to live ever so short. So it is written as if DNS answered at once, and stops where it does not.
 */
#include "locate.h"

enum {
    HOPS_MAX = 32,
    /* of the SRV records of one name; the first so many are looked up */
    TARGETS_MAX = LOCATE_WAITS_MAX - 4,
    SERVICES_MAX = 8, /* of NAPTR */
    ROUNDS_MAX = 64,
    OTHERS_MS = 300, /* so long yet, when the best are known, or something stale is */
};

enum step { STEP_DONE, STEP_WAITS };

struct found {
    struct hop hops[HOPS_MAX];
    size_t len;
};

/* ---- life */

static void
stop_waiting(struct locate *l)
{
    while (l->waits_len > 0)
        ring_out(&l->waits[--l->waits_len].link);
}

void
locate_free(struct locate *l)
{
    stop_waiting(l);
    sipd_timer_cancel(l->finder->host, l->timer);
    ring_out(&l->link);
    l->finder->locates_len--;
    sipd_free(l);
}

/* Waits for an entry, each once. Without room it is looked at again when something else is answered. */
static void
wait_for(struct locate *l, struct cache_entry *entry)
{
    struct locate_wait *wait = &l->waits[l->waits_len];

    if (l->waits_len == LOCATE_WAITS_MAX)
        return;
    l->waits_len++;
    wait->locate = l;
    ring_put(&entry->waiters, &wait->link);
}

/* The records of a name: STEP_WAITS, or *records is there; NULL when they cannot be asked for, or need not be waited for. */
static enum step
need(struct locate *l, enum dns_what what, struct span name, const struct dns_records **records)
{
    struct cache_entry *entry;

    *records = NULL;
    switch (finder_need(l->finder, what, name, l->began_ms, &entry)) {
    case FINDER_KNOWN: *records = entry->records; break;
    case FINDER_ASKED:
        if (!l->now) {
            wait_for(l, entry);
            l->soon |= finder_is_stale(l->finder, entry);
            return STEP_WAITS;
        }
        if (finder_is_stale(l->finder, entry))
            *records = entry->records;
        break;
    case FINDER_REFUSED: break;
    }
    *l->finder->count.stale += *records && sipd_now_ms(l->finder->host) >= entry->fresh_until_ms;
    l->failed |= !*records || (*records)->verdict == DNS_FAILED;
    return STEP_DONE;
}

static bool
is_found(const struct dns_records *records)
{
    return records && records->verdict == DNS_FOUND;
}

/* ---- address records, of both families (RFC 3263 §4.2, RFC 7984 §3.1) */

static bool
is_known(const struct found *found, const struct hop *hop)
{
    for (size_t i = 0; i < found->len; i++)
        if (hop_eq(&found->hops[i], hop))
            return true;
    return false;
}

/* RFC 7984 §3.1: addresses of a family that we do not have are passed over. */
static void
add_hop(const struct locate *l, struct found *found, const struct hop *hop)
{
    if (found->len < HOPS_MAX && !is_known(found, hop) && sipd_can_send(l->finder->host, hop))
        found->hops[found->len++] = *hop;
}

static enum step
add_host(struct locate *l, struct found *found, struct span name, const struct hop *like)
{
    const struct dns_records *records;

    if (need(l, DNS_ADDRESS, name, &records) == STEP_WAITS)
        return STEP_WAITS;
    for (size_t i = 0; is_found(records) && i < records->len; i++) {
        struct hop hop = *like;

        memcpy(hop.ip, records->addresses[i].ip, sizeof hop.ip);
        add_hop(l, found, &hop);
    }
    return STEP_DONE;
}

/* ---- SRV records (RFC 2782, RFC 3263 §4.2) */

/* Did RFC 3263 choose UDP here: does neither URI nor binding name it? */
static struct hop
hop_like(const struct locate *l, uint8_t transport, uint16_t port)
{
    return (struct hop){ .transport = transport,
                         .port = port,
                         .by_rule = l->plan.kind == ORDER_NAPTR && transport == HOP_UDP };
}

/*
 * All their hosts are asked for at once. The best of them is waited for; once it is known, the others a little. Their addresses
 * stay together (RFC 7984 §4).
 */
static enum step
add_srv_hosts(struct locate *l, struct found *found, const struct dns_srv *srvs, size_t len,
              uint8_t transport)
{
    bool waits = false, best_waits = false;

    for (size_t i = 0; i < len && i < TARGETS_MAX; i++) {
        struct hop like = hop_like(l, transport, srvs[i].port);

        if (srvs[i].target[0] != '\0' &&
            add_host(l, found, span_of(srvs[i].target), &like) == STEP_WAITS)
            waits = true;
        best_waits |= waits && i == 0;
    }
    l->soon |= waits && !best_waits && found->len > 0;
    return waits ? STEP_WAITS : STEP_DONE;
}

/* The hops of SRV records; *any: there are such records. */
static enum step
add_srv(struct locate *l, struct found *found, struct span name, uint8_t transport, bool *any)
{
    struct dns_srv ordered[DNS_RECORDS_MAX];
    const struct dns_records *records;

    *any = false;
    if (need(l, DNS_SRV, name, &records) == STEP_WAITS)
        return STEP_WAITS;
    if (!is_found(records))
        return STEP_DONE;
    *any = true;
    if (order_srv_is_denied(records->srvs, records->len))
        return STEP_DONE;
    memcpy(ordered, records->srvs, records->len * sizeof *ordered);
    order_srv(ordered, records->len, l->seed);
    return add_srv_hosts(l, found, ordered, records->len, transport);
}

/* "If no SRV records were found": the addresses of the domain itself, at the default port. */
static enum step
add_default(struct locate *l, struct found *found, uint8_t transport)
{
    struct hop like = hop_like(l, transport, hop_default_port(transport));

    l->no_way = transport == HOP_NONE;
    return l->no_way ? STEP_DONE : add_host(l, found, l->plan.target, &like);
}

/* The URI names a transport and no port. */
static enum step
by_transport(struct locate *l, struct found *found)
{
    uint8_t transport = l->plan.hop.transport;
    char name[ANSWER_NAME_BYTES];
    enum step step = STEP_DONE;
    bool any = false;

    if (order_srv_name(transport, l->plan.target, name))
        step = add_srv(l, found, span_of(name), transport, &any);
    return step == STEP_WAITS || any ? step : add_default(l, found, transport);
}

/* No NAPTR: SRV for each transport that we have; the first one found is taken. All are asked for at once. */
static enum step
by_our_transports(struct locate *l, struct found *found)
{
    uint8_t transports[HOP_TRANSPORTS];
    unsigned len = order_srv_transports(l->plan.sips, l->can, transports);
    bool denied = false;
    char name[ANSWER_NAME_BYTES];
    const struct dns_records *unused;

    for (unsigned i = 1; i < len; i++)
        if (order_srv_name(transports[i], l->plan.target, name))
            (void)need(l, DNS_SRV, span_of(name), &unused);
    stop_waiting(l);
    for (unsigned i = 0; i < len; i++) {
        bool any = false;

        if (order_srv_name(transports[i], l->plan.target, name) &&
            add_srv(l, found, span_of(name), transports[i], &any) == STEP_WAITS)
            return STEP_WAITS;
        if (found->len > 0)
            return STEP_DONE;
        denied |= any;
    }
    return denied ? STEP_DONE
                  : add_default(l, found, order_default_transport(l->plan.sips, l->can));
}

/* The services of NAPTR, the most preferred first; the next when there is none of its SRV records. */
static enum step
by_services(struct locate *l, struct found *found, const struct order_service *services,
            unsigned len)
{
    bool any = false;

    for (unsigned i = 0; i < len && !any; i++)
        if (add_srv(l, found, span_of(services[i].srv_name), services[i].transport, &any) ==
            STEP_WAITS)
            return STEP_WAITS;
    return any ? STEP_DONE : add_default(l, found, services[0].transport);
}

/* Of the time that one URI's questions may take. */
static uint64_t
left_ms(const struct locate *l)
{
    uint64_t passed_ms = sipd_now_ms(l->finder->host) - l->began_ms;
    uint64_t all_ms = l->finder->conf->give_up_ms;

    return passed_ms < all_ms ? all_ms - passed_ms : 0;
}

static bool
is_half_over(const struct locate *l)
{
    return left_ms(l) <= l->finder->conf->give_up_ms / 2;
}

/*
 * There are name servers, and what stands before them, that keep silent about a type they do not know. What is found beside NAPTR
 * counts when that has had its time.
 */
static enum step
wait_for_naptr(struct locate *l)
{
    struct found beside = { .len = 0 };
    const struct dns_records *none;

    if (is_half_over(l) && by_our_transports(l, &beside) == STEP_DONE)
        l->soon |= beside.len > 0;
    return need(l, DNS_NAPTR, l->plan.target, &none);
}

/* Neither transport nor port is named (§4.1). A domain that offers SIP only by what we do not have cannot be reached. */
static enum step
by_naptr(struct locate *l, struct found *found)
{
    struct order_service services[SERVICES_MAX];
    struct dns_naptr naptrs[DNS_RECORDS_MAX];
    const struct dns_records *records;
    bool any_sip = false;
    unsigned len = 0;

    if (need(l, DNS_NAPTR, l->plan.target, &records) == STEP_WAITS)
        return wait_for_naptr(l);
    if (is_found(records)) {
        memcpy(naptrs, records->naptrs, records->len * sizeof *naptrs);
        len = order_naptr(naptrs, records->len, l->plan.sips, l->can, services, SERVICES_MAX,
                          &any_sip);
    }
    if (len > 0)
        return by_services(l, found, services, len);
    l->no_way = any_sip;
    return any_sip ? STEP_DONE : by_our_transports(l, found);
}

static enum step
run(struct locate *l, struct found *found)
{
    switch (l->plan.kind) {
    case ORDER_NOWHERE: l->no_way = true; break;
    case ORDER_ADDRESS: add_hop(l, found, &l->plan.hop); break;
    case ORDER_HOST: return add_host(l, found, l->plan.target, &l->plan.hop);
    case ORDER_SRV: return by_transport(l, found);
    case ORDER_NAPTR: return by_naptr(l, found);
    }
    return STEP_DONE;
}

/* ---- the answer */

/* The hops of this health, in their order; returns how many. */
static size_t
take_healthy(const struct locate *l, const struct found *found, enum health health,
             struct hop out[HOPS_MAX])
{
    uint64_t now_ms = sipd_now_ms(l->finder->host);
    size_t len = 0;

    for (size_t i = 0; i < found->len; i++)
        if (health_of(&l->finder->health, &found->hops[i], now_ms) == health)
            out[len++] = found->hops[i];
    return len;
}

/* Is the first of them, which all that passes without state takes, to be relied on? */
static bool
is_first_well(const struct locate *l, const struct found *found)
{
    return found->len == 0 ||
           health_is_well(&l->finder->health, &found->hops[0], sipd_now_ms(l->finder->host));
}

/*
 * Those that rest are left out. When all do, those that only failed are the last resort, but never one that said when to come
 * again (RFC 3261 §21.5.4).
 */
static size_t
choose(struct locate *l, const struct found *found, struct hop out[HOPS_MAX], int *err)
{
    struct health_rest rest = finder_rest(l->finder);
    size_t len;

    if (l->in_order || l->for_answer || (l->stateless && is_first_well(l, found))) {
        memcpy(out, found->hops, found->len * sizeof *out);
        return found->len;
    }
    *err = l->stateless ? SIPD_ECLOSED : SIPD_OK;
    len = take_healthy(l, found, HEALTH_GOOD, out);
    if (len == 0)
        len = take_healthy(l, found, HEALTH_DOWN, out);
    if (len > 0 && !l->one_way)
        health_go(&l->finder->health, &out[0], &rest, sipd_now_ms(l->finder->host));
    return len;
}

static void
answer(struct locate *l, const struct found *found)
{
    struct finder *f = l->finder;
    struct hop hops[HOPS_MAX];
    int err = SIPD_OK;
    size_t len = choose(l, found, hops, &err);

    if (len == 0)
        err = found->len > 0 || l->no_way ? SIPD_ECLOSED : l->failed ? SIPD_EIO : SIPD_ENOENT;
    ++*(len > 0 ? f->count.found : f->count.not_found);
    sipd_resolved(f->host, l->id, hops, len, err);
    locate_free(l);
}

/* ---- time */

enum { TIME_HALF, TIME_UP };

static void
timer_fired(void *self, uint64_t what)
{
    struct locate *l = self;
    struct finder *f = l->finder;

    l->timer = 0;
    l->now = what == TIME_UP;
    f->busy = true;
    locate_go_on(l);
    finder_settle(f);
}

static void
set_timer(struct locate *l, uint64_t ms, uint64_t what)
{
    sipd_timer_cancel(l->finder->host, l->timer);
    l->timer = sipd_timer(l->finder->host, ms, timer_fired, l, what);
}

static void
set_time(struct locate *l)
{
    uint64_t half_ms = l->finder->conf->give_up_ms / 2;

    if (is_half_over(l))
        set_timer(l, left_ms(l), TIME_UP);
    else
        set_timer(l, left_ms(l) - half_ms, TIME_HALF);
}

/* What is there would do: for something better there is a little time, and no more than there was. */
static void
hurry(struct locate *l)
{
    if (OTHERS_MS < left_ms(l))
        set_timer(l, OTHERS_MS, TIME_UP);
}

void
locate_go_on(struct locate *l)
{
    bool was_soon = l->soon;
    struct found found = { .len = 0 };

    stop_waiting(l);
    l->finder->cache.visit++;
    l->soon = l->failed = l->no_way = false;
    if (++l->rounds > ROUNDS_MAX)
        l->now = true;
    if (run(l, &found) == STEP_DONE || l->now) {
        answer(l, &found);
        return;
    }
    if (l->timer == 0)
        set_time(l);
    if (was_soon)
        l->soon = true;
    else if (l->soon)
        hurry(l);
}

int
locate_begin(struct finder *f, const struct sipd_place *place, uint64_t id)
{
    struct locate *l = sipd_alloc(sizeof *l);

    if (!l)
        return SIPD_ENOMEM;
    l->finder = f;
    l->id = id;
    l->seed = place->seed;
    l->in_order = place->in_order;
    l->stateless = place->stateless;
    l->one_way = place->one_way;
    l->for_answer = place->for_answer;
    l->began_ms = sipd_now_ms(f->host);
    for (uint8_t transport = HOP_UDP; transport < HOP_TRANSPORTS; transport++) {
        struct hop any = { .transport = transport };

        if (sipd_can_send(f->host, &any))
            l->can |= ORDER_BIT(transport);
    }
    order_plan(place->uri, l->can, &l->plan);
    if (l->plan.target.len < sizeof l->target) {
        memcpy(l->target, l->plan.target.at, l->plan.target.len);
        l->plan.target.at = l->target;
    } else {
        l->plan.kind = ORDER_NOWHERE;
    }
    ring_put(&f->locates, &l->link);
    f->locates_len++;
    locate_go_on(l);
    return SIPD_OK;
}
