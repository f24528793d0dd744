/*
 * What a hook reads of a request, does to it, and answers it with (src/host/request.c, src/host/reply.c).
 */
#include "unit/host_rig.h"

static struct sipd_host *handle;
static enum sipd_stage stage;
static void (*act)(struct sipd_req *req);
static enum sipd_verdict verdict;
static unsigned acted;

static enum sipd_verdict
hook(struct sipd_req *req, void *self)
{
    enum sipd_stage at = *(const enum sipd_stage *)self;

    if (at != stage)
        return SIPD_PASS;
    acted++;
    act(req);
    return verdict;
}

static enum sipd_stage stages[SIPD_STAGES];

static int
load(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    handle = host;
    for (int i = 0; i < SIPD_STAGES; i++) {
        stages[i] = (enum sipd_stage)i;
        ck_assert_int_eq(sipd_hook(host, stages[i], 9000, hook, &stages[i]), SIPD_OK);
    }
    return SIPD_OK;
}

static const struct sipd_module module = { .abi = SIPD_ABI, .name = "it", .load = load };

static void
begin(void)
{
    host_rig_begin();
    ck_assert_int_eq(host_rig_open(&module), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", BOB, 1000);
    verdict = SIPD_PASS;
    acted = 0;
}

static void
do_at(enum sipd_stage at, void (*what)(struct sipd_req *req))
{
    stage = at;
    act = what;
}

/* ---- what one reads */

/* One after the other, those that names.def does not know too; at the end a walk stays there. */
static void
read_fields(const struct sipd_req *req)
{
    struct sipd_fields things = sipd_req_fields(SPAN("x-thing")), ids = sipd_req_fields(SPAN("i")),
                       none = sipd_req_fields(SPAN("Path"));
    struct span value;

    ck_assert(sipd_req_next_field(req, &things, &value));
    must_text(value, "one");
    ck_assert(sipd_req_next_field(req, &things, &value));
    must_text(value, "two");
    ck_assert(!sipd_req_next_field(req, &things, &value));
    ck_assert(!sipd_req_next_field(req, &things, &value));
    ck_assert_uint_eq(value.len, 0);
    ck_assert(sipd_req_next_field(req, &ids, &value));
    must_text(value, "abc");
    ck_assert(!sipd_req_next_field(req, &ids, &value));
    ck_assert(!sipd_req_next_field(req, &none, &value));
}

static void
read_all(struct sipd_req *req)
{
    struct span value;
    struct addr addr;
    struct uri uri;

    ck_assert_uint_ne(sipd_req_id(req), 0);
    must_text(sipd_req_method(req), "MESSAGE");
    must_text(sipd_req_uri_text(req), "sip:bob@example.com");
    ck_assert(sipd_req_uri(req, &uri));
    must_text(uri.user, "bob");
    ck_assert(sipd_req_header(req, SPAN("x-thing"), 1, &value));
    must_text(value, "two");
    ck_assert(!sipd_req_header(req, SPAN("X-Thing"), 2, &value));
    ck_assert_uint_eq(value.len, 0);
    read_fields(req);
    ck_assert(sipd_req_header(req, SPAN("Call-ID"), 0, &value));
    must_text(sipd_req_call_id(req), "abc");
    must_text(value, "abc");
    ck_assert_uint_eq(sipd_req_cseq(req), 17);
    ck_assert(sipd_req_from(req, &addr));
    must_text(addr.uri, "sip:alice@example.com");
    ck_assert(sipd_req_to(req, &addr));
    must_text(addr.uri, "sip:bob@example.com");
    ck_assert(!sipd_req_in_dialog(req));
    ck_assert(!sipd_req_by_token(req));
    must_text(sipd_req_body(req), "hello\r\n");
    ck_assert(
        hop_eq(sipd_req_source(req),
               &(struct hop){ .ip = { [10] = 255, [11] = 255, [12] = 192, [14] = 2, [15] = 1 },
                              .port = 5060,
                              .transport = HOP_UDP }));
    ck_assert(!sipd_req_is_natted(req));
    ck_assert(!sipd_req_for_server(req));
    ck_assert_uint_eq(sipd_req_user(req).len, 0);
    ck_assert(!sipd_req_is_trusted(req));
    ck_assert_ptr_null(sipd_req_target(req));
    ck_assert_uint_eq(sipd_req_status(req), 0);
}

START_TEST(test_read)
{
    rig.trust = false;
    do_at(SIPD_ON_REQUEST, read_all);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0",
            "From: <sip:alice@example.com>;tag=1", "To: <sip:bob@example.com>", "Call-ID: abc",
            "CSeq: 17 MESSAGE", "X-Thing: one", "x-thing: two", "Content-Type: text/plain", "",
            "hello", NULL);
    ck_assert_uint_eq(acted, 1);
}
END_TEST

#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKto"

static const char *to_uri; /* that is wanted */
static bool relayed;

static void
read_to(struct sipd_req *req)
{
    struct span uri;
    struct addr addr;

    ck_assert(sipd_req_to_uri(req, &uri));
    must_text(uri, to_uri);
    ck_assert(sipd_req_to(req, &addr));
    must_text(addr.uri, to_uri);
    ck_assert(sipd_req_is_relayed(req) == relayed);
}

START_TEST(test_read_to)
{
    static const struct {
        const char *to, *uri, *via, *more;
        bool relayed;
    } wanted[] = {
        { "To: <sip:bob@example.com>", "sip:bob@example.com", VIA "1", "X: y", false },
        { "To: < sip:bob@example.com >;tag=2", "sip:bob@example.com", VIA "2", "X: y", false },
        { "To: \"<sip:eve@h>\" <sip:bob@h;x>", "sip:bob@h;x", VIA "3", "v: SIP/2.0/UDP h", true },
        { "To: sip:bob@h;x", "sip:bob@h", VIA "4, SIP/2.0/UDP h", "X: y", true },
    };

    do_at(SIPD_ON_REQUEST, read_to);
    for (size_t i = 0; i < countof(wanted); i++) {
        to_uri = wanted[i].uri;
        relayed = wanted[i].relayed;
        rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0",
                "From: <sip:alice@example.com>;tag=1", wanted[i].to, "Call-ID: abc",
                "CSeq: 17 MESSAGE", wanted[i].via, wanted[i].more, "", NULL);
    }
    ck_assert_uint_eq(acted, countof(wanted));
}
END_TEST

/* ---- what one does */

static void
know(struct sipd_req *req)
{
    char name[] = "alice";

    ck_assert_int_eq(sipd_req_authenticate(req, span_of(name)), SIPD_OK);
    memset(name, 'x', 5);
    must_text(sipd_req_user(req), "alice");
    sipd_req_trust(req);
    ck_assert(sipd_req_is_trusted(req));
}

/* A known sender may send to foreign domains. */
START_TEST(test_authenticate)
{
    do_at(SIPD_ON_REQUEST, know);
    rig_ask(&rig, ALICE, "MESSAGE sip:x@192.0.2.7 SIP/2.0", NULL);
    rig_expect(&rig, "udp:192.0.2.7:5060", "MESSAGE sip:x@192.0.2.7 SIP/2.0");
}
END_TEST

static void
add_targets(struct sipd_req *req)
{
    const struct sipd_target far = {
        .uri = SPAN("sip:far@192.0.2.20"), .q = 200, .tag = 5, .expires_s = 60
    };
    const struct sipd_target near = { .uri = SPAN("sip:near@192.0.2.21"), .q = 900 };
    const struct sipd_target bad = { .uri = SPAN("sip:a b") };

    ck_assert_int_eq(sipd_req_add_target(req, &far), SIPD_OK);
    ck_assert_int_eq(sipd_req_add_target(req, &near), SIPD_OK);
    ck_assert_int_eq(sipd_req_add_target(req, &bad), SIPD_ESYNTAX);
    must_text(sipd_req_target_at(req, 0)->uri, "sip:near@192.0.2.21");
    must_text(sipd_req_target_at(req, 1)->uri, "sip:far@192.0.2.20");
    ck_assert_uint_eq(sipd_req_target_at(req, 1)->tag, 5);
    ck_assert_uint_eq(sipd_req_target_at(req, 1)->expires_s, 60);
    ck_assert_ptr_null(sipd_req_target_at(req, 2));
}

START_TEST(test_targets)
{
    do_at(SIPD_ON_REQUEST, add_targets);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, "udp:192.0.2.21:5060", "MESSAGE sip:near@192.0.2.21 SIP/2.0");
    rig_expect(&rig, "udp:192.0.2.20:5060", "MESSAGE sip:far@192.0.2.20 SIP/2.0");
}
END_TEST

static void
edit_all(struct sipd_req *req)
{
    ck_assert_int_eq(sipd_req_add_header(req, SPAN("X-New"), SPAN("yes")), SIPD_OK);
    ck_assert_int_eq(sipd_req_drop_header(req, SPAN("X-Old"), 1), SIPD_OK);
    ck_assert_int_eq(sipd_req_drop_header(req, SPAN("X-Old"), 7), SIPD_ENOENT);
}

START_TEST(test_edit)
{
    const struct rig_sent *sent;

    do_at(SIPD_ON_REQUEST, edit_all);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", "X-Old: 1", "X-Old: 2", NULL);
    sent = rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0");
    ck_assert_str_eq(rig_value(sent, "X-New", 0), "yes");
    ck_assert_str_eq(rig_value(sent, "X-Old", 0), "1");
    ck_assert_uint_eq(rig_count(sent, "X-Old"), 1);
}
END_TEST

static void
edit_one(struct sipd_req *req)
{
    const struct sipd_target *target = sipd_req_target(req);

    ck_assert_ptr_nonnull(target);
    ck_assert_int_eq(sipd_req_add_header(req, SPAN("X-For"), target->uri), SIPD_OK);
}

START_TEST(test_edit_branch)
{
    const struct rig_sent *sent;

    rig_bind(&rig, "bob", "sip:bob@192.0.2.10", "udp:192.0.2.10:5060", 1000);
    do_at(SIPD_ON_BRANCH, edit_one);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    ck_assert_uint_eq(acted, 2);
    sent = rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0");
    ck_assert_str_eq(rig_value(sent, "X-For", 0), "sip:bob@192.0.2.9");
    ck_assert_uint_eq(rig_count(sent, "X-For"), 1);
    sent = rig_expect(&rig, "udp:192.0.2.10:5060", "MESSAGE sip:bob@192.0.2.10 SIP/2.0");
    ck_assert_str_eq(rig_value(sent, "X-For", 0), "sip:bob@192.0.2.10");
    ck_assert_uint_eq(rig_count(sent, "X-For"), 1);
}
END_TEST

static void
see_status(struct sipd_req *req)
{
    ck_assert_uint_eq(sipd_req_status(req), 486);
}

START_TEST(test_status)
{
    const struct rig_sent *sent;

    do_at(SIPD_ON_RESPONSE, see_status);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    sent = rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0");
    rig_reply(&rig, sent, 486, "b", NULL);
    ck_assert_uint_eq(acted, 1);
}
END_TEST

/* ---- what one answers */

static void
answer(struct sipd_req *req)
{
    struct sipd_reply *reply = sipd_reply(req, 302);

    sipd_reply_phrase(reply, SPAN("Over\r\nThere"));
    sipd_reply_header(reply, SPAN("Contact"), SPAN("<sip:a@b>\r\nX-Forged: yes"));
    sipd_reply_number(reply, SPAN("Expires"), 0);
    sipd_reply_number(reply, SPAN("X-Most"), UINT64_MAX);
    sipd_reply_date(reply);
    sipd_reply_body(reply, SPAN("text/plain"), SPAN("hello"));
    ck_assert_int_eq(sipd_reply_send(reply), SIPD_DONE);
}

START_TEST(test_reply)
{
    const struct rig_sent *sent;

    rig.clock.wall_s = 1289690940; /* the example of RFC 3261 §20.17 */
    verdict = SIPD_DONE;
    do_at(SIPD_ON_REQUEST, answer);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    sent = rig_expect(&rig, ALICE, "SIP/2.0 302 Over  There");
    ck_assert_str_eq(rig_value(sent, "Contact", 0), "<sip:a@b>  X-Forged: yes");
    ck_assert_uint_eq(rig_count(sent, "X-Forged"), 0);
    ck_assert_str_eq(rig_value(sent, "Expires", 0), "0");
    ck_assert_str_eq(rig_value(sent, "X-Most", 0), "18446744073709551615");
    ck_assert_str_eq(rig_value(sent, "Date", 0), "Sat, 13 Nov 2010 23:29:00 GMT");
    ck_assert_str_eq(rig_value(sent, "Content-Type", 0), "text/plain");
    ck_assert(rig_has(sent, "\r\n\r\nhello"));
    rig_quiet(&rig);
    ck_assert_uint_eq(acted, 1);
    rig.clock.wall_s++;
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL); /* it came again */
    ck_assert_uint_eq(acted, 1);
    ck_assert(span_eq(rig_expect(&rig, ALICE, "SIP/2.0 302 Over  There")->bytes, sent->bytes));
    rig_quiet(&rig);
}
END_TEST

static void
answer_badly(struct sipd_req *req)
{
    struct sipd_reply *reply = sipd_reply(req, 302);

    sipd_reply_header(reply, SPAN("Not a name"), SPAN("x"));
    sipd_reply_header(reply, SPAN("Fine"), SPAN("x"));
    ck_assert_int_eq(sipd_reply_send(reply), SIPD_FAIL);
    ck_assert_int_eq(sipd_reply_send(sipd_reply(req, 100)), SIPD_FAIL);
    ck_assert_int_eq(sipd_reply_send(sipd_reply(req, 700)), SIPD_FAIL);
}

START_TEST(test_reply_badly)
{
    verdict = SIPD_FAIL;
    do_at(SIPD_ON_REQUEST, answer_badly);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 500 Server Internal Error");
    rig_quiet(&rig);
}
END_TEST

/* The turn's memory is at its end: the first failure is kept, and told once. */
static void
answer_without_memory(struct sipd_req *req)
{
    struct sipd_reply *reply;
    size_t limit = rig.turn.limit_bytes;

    rig.turn.limit_bytes = rig.turn.held_bytes;
    while (arena_alloc(&rig.turn, 16))
        ;
    reply = sipd_reply(req, 302);
    ck_assert_ptr_nonnull(reply);
    sipd_reply_phrase(reply, SPAN("x"));
    sipd_reply_header(reply, SPAN("X"), SPAN("x"));
    sipd_reply_number(reply, SPAN("X"), 1);
    sipd_reply_date(reply);
    sipd_reply_body(reply, SPAN("text/plain"), SPAN("x"));
    ck_assert_int_eq(sipd_reply_send(reply), SIPD_FAIL);
    rig.turn.limit_bytes = limit;
}

START_TEST(test_reply_memory)
{
    verdict = SIPD_FAIL;
    do_at(SIPD_ON_REQUEST, answer_without_memory);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    ck_assert_uint_eq(acted, 1);
}
END_TEST

static void
wait_for_it(struct sipd_req *req)
{
    if (acted == 1)
        sipd_resume(handle, sipd_req_id(req)); /* heard before it says WAIT */
    verdict = acted == 1 ? SIPD_WAIT : SIPD_PASS;
}

START_TEST(test_resume)
{
    do_at(SIPD_ON_REQUEST, wait_for_it);
    rig_ask(&rig, ALICE, "MESSAGE sip:bob@example.com SIP/2.0", NULL);
    ck_assert_uint_eq(acted, 2);
    rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0");
}
END_TEST

Suite *
suite_host_reply(void)
{
    Suite *suite = suite_create("host_reply");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, begin, host_rig_end);
    tcase_add_test(all, test_read);
    tcase_add_test(all, test_read_to);
    tcase_add_test(all, test_authenticate);
    tcase_add_test(all, test_targets);
    tcase_add_test(all, test_edit);
    tcase_add_test(all, test_edit_branch);
    tcase_add_test(all, test_status);
    tcase_add_test(all, test_reply);
    tcase_add_test(all, test_reply_badly);
    tcase_add_test(all, test_reply_memory);
    tcase_add_test(all, test_resume);
    suite_add_tcase(suite, all);
    return suite;
}
