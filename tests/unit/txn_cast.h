/*
 * A fixture: a pool on a virtual clock, and who speaks to it: clients that just sent, servers that were just asked.
 */
#ifndef UNIT_TXN_CAST_H
#define UNIT_TXN_CAST_H

#include "base/mem.h"
#include "txn/txns.h"
#include "unit/message.h"
#include "unit/txn_rig.h"

#define UDP    "udp:192.0.2.9:5060"
#define TCP    "tcp:192.0.2.9:5060"
#define FLOW   "flow:" TCP /* over the connection that its request came by */
#define VIA    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa"
#define BRANCH "z9hG4bKours"

enum { HOUR_MS = 3600000, LIMIT = 100 };

static struct txn_rig r;

static inline void
begin(void)
{
    message_begin();
    txn_rig_init(&r, LIMIT);
}

static inline void
end(void)
{
    mem_fail_never();
    txn_rig_fini(&r);
    message_end();
}

/* A client transaction that just sent its request. */
static inline struct txn *
client(const char *method, const char *to)
{
    uint64_t id = txn_rig_ask(&r, BRANCH, method, to);

    ck_assert_ptr_nonnull(txns_find(&r.t, id));
    return txns_find(&r.t, id);
}

/* It gets a response. */
static inline enum txn_news
hear(struct txn *txn, unsigned status)
{
    struct msg msg = read_text(txn_rig_response(
        status, txn->method == METHOD_INVITE ? "INVITE" : "OPTIONS", BRANCH, "t1"));
    struct gist gist = gist_of(&msg);

    ck_assert_ptr_eq(txns_find_client(&r.t, &gist), txn);
    return txns_heard(&r.t, txn, status, &gist);
}

static inline struct gist
gist_text(const char *text)
{
    static struct msg msg;

    msg = read_text(text);
    return gist_of(&msg);
}

/* A server transaction of a request that just came. */
static inline struct txn *
server(const char *method, const char *to)
{
    struct gist gist = gist_text(txn_rig_request(method, VIA));
    struct hop hop = txn_rig_hop(to);
    uint64_t id = 0;

    ck_assert_int_eq(txns_serve(&r.t, &gist, NULL, &hop, 88, &id), SIPD_OK);
    ck_assert_ptr_eq(txn_rig_server(&r.t, &gist), txns_find(&r.t, id));
    return txns_find(&r.t, id);
}

static inline void
answer(const struct txn *txn, unsigned status, const char *text)
{
    ck_assert_int_eq(txns_answer(&r.t, txn->id, status, span_of(text)), SIPD_OK);
}

static inline const char *
last_sent(void)
{
    ck_assert_uint_gt(r.sent_len, 0);
    return r.sent[r.sent_len - 1].text;
}

/* All that was sent, at these times, and told, with its times; and none is left. */
static inline void
ended(const char *times, const char *told)
{
    ck_assert_str_eq(txn_rig_times(&r), times);
    ck_assert_str_eq(r.told, told);
    ck_assert_uint_eq(txns_held(&r.t), 0);
    ck_assert_uint_eq(r.t.timers.armed, 0);
    ck_assert_uint_eq(txns_next_ms(&r.t), UINT64_MAX);
}

/* A case with the pool, and these tests. */
static inline void
add_case(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
    TCase *c = tcase_create(name);

    tcase_add_checked_fixture(c, begin, end);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
}
#define ADD_CASE(s, name, tests) add_case(s, name, tests, countof(tests))

#endif
