/*
 * A module offers schemes: what is refused, what it may do when asked, and that nothing of it stays when it goes
 * (src/host/schemes.c).
 */
#include "base/mem.h"
#include "core/scheme.h"
#include "unit/host_rig.h"

static struct sipd_host *handles[2];
static void (*act)(struct sipd_req *req);
static int offered;

static enum sipd_verdict
target(struct sipd_req *req, void *self)
{
    (void)self;
    act(req);
    return SIPD_PASS;
}

static bool
same_length(void *self, const struct uri *a, const struct uri *b)
{
    (void)self;
    return a->whole.len == b->whole.len;
}

static const struct sipd_scheme_ops ops = { same_length, target };

static int
load_one(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    handles[0] = host;
    return offered = sipd_offer_scheme(host, SPAN("x-Acme"), &ops, NULL);
}

static int
load_two(struct sipd_host *host, const void *conf, void **self)
{
    (void)conf;
    *self = NULL;
    handles[1] = host;
    return offered = sipd_offer_scheme(host, SPAN("X-ACME"), &ops, NULL);
}

static const struct sipd_module one = { .abi = SIPD_ABI, .name = "one", .load = load_one };
static const struct sipd_module two = { .abi = SIPD_ABI, .name = "two", .load = load_two };

static void
start(void)
{
    ck_assert_int_eq(host_rig_open(&one), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", BOB, 1000);
}

START_TEST(names)
{
    static const struct {
        const char *name;
        int err;
    } cases[] = {
        { "sip", SIPD_EINVAL },    { "SIPS", SIPD_EINVAL }, { "", SIPD_EINVAL },
        { "1x", SIPD_EINVAL },     { "a b", SIPD_EINVAL },  { "tel:", SIPD_EINVAL },
        { "tel", SIPD_OK },        { "TEL", SIPD_EEXIST },  { "x-acme", SIPD_EEXIST },
        { "x-acme+1.2", SIPD_OK }, { "x", SIPD_OK },
    };

    start();
    for (size_t i = 0; i < countof(cases); i++)
        must_for(span_of(cases[i].name),
                 sipd_offer_scheme(handles[0], span_of(cases[i].name), &ops, NULL) == cases[i].err);
}
END_TEST

START_TEST(one_module_a_scheme)
{
    ck_assert_int_eq(host_rig_open(&one), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&two), SIPD_OK);
    ck_assert_int_eq(host_rig_start(), SIPD_EEXIST);
    must_text(buf_span(&hosting.why),
              "sipd.conf: two: another module has offered the scheme X-ACME\n");
}
END_TEST

/* sipd -t hears the same complaint. */
START_TEST(in_a_trial_too)
{
    const struct prf_key key = { 1, 2 };

    ck_assert_int_eq(host_rig_open(&one), SIPD_OK);
    ck_assert_int_eq(host_rig_open(&two), SIPD_OK);
    ck_assert_int_eq(host_start(hosting.host, &hosting.source, NULL, &key, &hosting.why),
                     SIPD_EEXIST);
}
END_TEST

static void
to_bob(struct sipd_req *req)
{
    struct uri uri;

    must_text(sipd_req_uri_text(req), "X-acme:b%zz");
    ck_assert(sipd_req_uri(req, &uri));
    ck_assert_int_eq(sipd_req_set_uri(req, SPAN("sip:")), SIPD_ESYNTAX);
    must_text(sipd_req_uri_text(req), "X-acme:b%zz");
    ck_assert_int_eq(sipd_req_set_uri(req, SPAN("sip:bob@example.com")), SIPD_OK);
    must_text(sipd_req_uri_text(req), "sip:bob@example.com");
    ck_assert(sipd_req_uri(req, &uri));
    must_text(uri.user, "bob");
}

START_TEST(says_what_is_meant)
{
    start();
    act = to_bob;
    rig_ask(&rig, ALICE, "MESSAGE X-acme:b%zz SIP/2.0", NULL);
    rig_expect(&rig, BOB, "MESSAGE sip:bob@192.0.2.9 SIP/2.0\r\n");
}
END_TEST

static void
nothing(struct sipd_req *req)
{
    (void)req;
}

START_TEST(is_forgotten_with_its_module)
{
    uint64_t live;

    start();
    act = nothing;
    rig_ask(&rig, ALICE, "MESSAGE x-acme:b SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 404 ");
    ck_assert_int_eq(host_reload(hosting.host, &hosting.source, NULL, 0, &hosting.why), SIPD_OK);
    ck_assert_ptr_null(scheme_find(core_chain(rig.core), SPAN("x-acme")));
    rig_new_branch(&rig);
    rig_ask(&rig, ALICE, "MESSAGE x-acme:b SIP/2.0", NULL);
    rig_expect(&rig, ALICE, "SIP/2.0 416 ");
    live = mem_live();
    ck_assert_int_eq(host_rig_open(&two), SIPD_OK); /* the scheme is free again */
    ck_assert_int_eq(host_rig_start(), SIPD_OK);
    ck_assert_int_eq(host_reload(hosting.host, &hosting.source, NULL, 0, &hosting.why), SIPD_OK);
    ck_assert_uint_eq(mem_live(), live);
}
END_TEST

START_TEST(compares)
{
    struct uri a, b;

    start();
    must(uri_read(SPAN("x-acme:1"), &a) == SIPD_OK && uri_read(SPAN("X-acme:2"), &b) == SIPD_OK);
    ck_assert(sipd_uri_eq(handles[0], &a, &b));
    ck_assert(!uri_eq(&a, &b));
    must(uri_read(SPAN("x-acme:23"), &b) == SIPD_OK);
    ck_assert(!sipd_uri_eq(handles[0], &a, &b));
}
END_TEST

/* Wherever memory runs out, nothing is half offered. */
START_TEST(memory_runs_out)
{
    bool failed = true;

    start();
    for (uint64_t n = 0; failed; n++) {
        int err;

        ck_assert_ptr_null(scheme_find(core_chain(rig.core), SPAN("tel")));
        mem_fail_after(n);
        err = sipd_offer_scheme(handles[0], SPAN("tel"), &ops, NULL);
        failed = mem_failed();
        mem_fail_never();
        ck_assert_int_eq(err, failed ? SIPD_ENOMEM : SIPD_OK);
    }
}
END_TEST

static int set_err = 1;

static enum sipd_verdict
set_late(struct sipd_req *req, void *self)
{
    (void)self;
    set_err = sipd_req_set_uri(req, SPAN("sip:carol@example.com"));
    return SIPD_PASS;
}

/* Once targets are sought, the Request-URI stands. */
START_TEST(is_asked_in_time)
{
    start();
    ck_assert_int_eq(sipd_hook(handles[0], SIPD_ON_TARGETS, -9000, set_late, NULL), SIPD_OK);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, BOB, "INVITE sip:bob@192.0.2.9 ");
    ck_assert_int_eq(set_err, SIPD_EINVAL);
}
END_TEST

START_TEST(on_request_as_well)
{
    start();
    ck_assert_int_eq(sipd_hook(handles[0], SIPD_ON_REQUEST, 9000, set_late, NULL), SIPD_OK);
    rig_bind(&rig, "carol", "sip:carol@192.0.2.8", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, NULL);
    rig_expect(&rig, "udp:192.0.2.8:5060", "INVITE sip:carol@192.0.2.8 ");
    ck_assert_int_eq(set_err, SIPD_OK);
}
END_TEST

Suite *
suite_schemes(void)
{
    Suite *s = suite_create("schemes");
    TCase *c = host_case("schemes");

    tcase_add_test(c, names);
    tcase_add_test(c, one_module_a_scheme);
    tcase_add_test(c, in_a_trial_too);
    tcase_add_test(c, says_what_is_meant);
    tcase_add_test(c, is_forgotten_with_its_module);
    tcase_add_test(c, compares);
    tcase_add_test(c, memory_runs_out);
    tcase_add_test(c, is_asked_in_time);
    tcase_add_test(c, on_request_as_well);
    suite_add_tcase(s, c);
    return s;
}
