/*
 * The registrar's settings and its start in a whole server: what is refused, and a clock that is not believed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/def.h"
#include "lib/store_rig.h"
#include "sim/modules.h"
#include "sim/registrar_rig.h"

Suite *suite_registrar(void);

enum { USERS = 3000 }; /* more than are read at once */

static struct world *const w = &registrar_world;

/* ------------------------------------------------------------------ settings */

static const char *const wrong_settings[][2] = {
    { "service_route = [ \"sip:proxy.example.com;lr\" ];", "is no <sip:…;lr>" },
    { "service_route = [ \"<sip:proxy.example.com>\" ];", "is no <sip:…;lr>" },
    { "service_route = [ \"<sip:p;lr>\", \"<>\" ];", "\"<>\"" },
    { "min_expires_s = 100; max_expires_s = 99;", "min_expires_s: 100 is more than" },
    { "max_contacts = 1001;", "max_contacts" },
};

START_TEST(service_routes_are_checked)
{
    registrar_start(wrong_settings[_i][0]);
    buf_put_char(&w->fault, '\0');
    ck_assert_msg(w->fault.bytes && strstr(w->fault.bytes, wrong_settings[_i][1]), "%s in %s",
                  wrong_settings[_i][1], w->fault.bytes);
}
END_TEST

/* ------------------------------------------------------------------ the clock */

/* Bindings are good for an hour: of bob, and of users u0000, u0001, …, whose are long. */
static char padding[1000], names[USERS][48];

static void
fill(struct store_change *put, struct span aor, int64_t wall_s)
{
    *put = (struct store_change){
        .verb = STORE_PUT,
        .row = { .aor = aor,
                 .contact = SPAN("sip:bob@192.0.2.20:5060"),
                 .call_id = SPAN("call"),
                 .expires_s = wall_s + 3600,
                 .granted_s = 3600,
                 .q = STORE_NO_Q },
    };
    if (padding[0]) {
        put->row.call_id = (struct span){ padding, 500 };
        put->row.params = (struct span){ padding, sizeof padding };
    }
}

/* A file that was written last at this time. */
static void
write_file(int64_t wall_s, size_t users)
{
    static struct store_change puts[USERS + 1];
    struct store_write write = { .id = 7, .changes = puts, .len = users + 1 };
    struct store_rig rig;

    padding[0] = '\0';
    fill(&puts[0], SPAN("sip:bob@example.com"), wall_s);
    memset(padding, 'x', sizeof padding);
    memcpy(padding, ";p=", 3);
    for (size_t i = 0; i < users; i++) {
        snprintf(names[i], sizeof names[i], "sip:u%04zu@example.com", i);
        fill(&puts[i + 1], span_of(names[i]), wall_s);
    }

    store_rig_init(&rig, &store_sqlite_ops);
    rig.now.wall_s = wall_s;
    ck_assert_int_eq(store_rig_open(&rig, registrar_path), SIPD_OK);
    store_rig_write(&rig, &write);
    store_rig_wait(&rig);
    store_rig_close(&rig);
    store_rig_fini(&rig);
}

static const struct {
    int64_t written_before_s; /* before the start */
    uint64_t after_s;
    bool there;
} clocks[] = {
    { 10, 0, true },    { 10, 3500, true },  { 10, 3600, false },
    { -1000, 0, true }, { -1000, 55, true }, { -1000, 65, false }, /* the clock went back */
    { 9000, 0, true },  { 9000, 65, false },                       /* … or far ahead */
    { 5000, 0, false },                                            /* no, time just passed */
};

START_TEST(a_clock_that_is_not_believed)
{
    struct sim_sipd *sipd;
    struct hop hop;
    struct peer *alice, *bob;

    write_file(w->clock.wall_s - clocks[_i].written_before_s, 0);
    sipd = registrar_start("min_expires_s = 60; max_expires_s = 7200;");
    ck_assert_msg(w->fault.len == 0, "%.*s", SPAN_ARG(buf_span(&w->fault)));
    registrar_read_all(sipd);
    ck_assert(world_hop_read(SPAN("udp:192.0.2.10:5060"), &hop));
    alice = world_add_peer(w, SPAN("alice"), &hop, SPAN("example.com"));
    ck_assert(world_hop_read(SPAN("udp:192.0.2.20:5060"), &hop));
    bob = world_add_peer(w, SPAN("bob"), &hop, SPAN("example.com"));
    ck_assert_int_eq(registrar_calls(alice, bob, clocks[_i].after_s), clocks[_i].there);
}
END_TEST

/* ------------------------------------------------------------------ while the store is read */

/* What a request comes to: the status of its answer, 0: it was sent on to bob. */
static unsigned
asks(struct sim_sipd *sipd, struct peer *alice, struct peer *bob, const char *method,
     const char *uri, const char *extra)
{
    const struct peer_say what = { .what = span_of(method),
                                   .uri = span_of(uri),
                                   .extra = span_of(extra) };
    const struct peer_heard *heard;
    const char *why = "";
    unsigned posts = 0;
    struct span bytes;
    struct hop server;

    ck_assert(world_hop_read(SPAN("udp:192.0.2.1:5060"), &server));
    while (peer_next(bob)) /* what comes again */
        ;
    bytes = peer_write(alice, &what, &why);
    ck_assert_msg(bytes.len > 0, "%s", why);
    world_say(w, alice, &server, bytes);
    world_run(w, w->clock.now_ms + 100, NULL);
    if (peer_next(bob))
        return 0;
    while (!(heard = peer_next(alice)) && ++posts < USERS) { /* it waits for the disk */
        sim_host_run_post(sipd->host);
        world_run(w, w->clock.now_ms + 5, NULL);
    }
    ck_assert_msg(heard, "%s %s: no answer", method, uri);
    return heard->msg.status;
}

/* Those that have been read are served, the others hear 503 with a time to come back. */
START_TEST(served_while_it_is_read)
{
    struct peer *alice, *bob;
    struct sim_sipd *sipd;
    struct hop hop;

    write_file(w->clock.wall_s - 10, USERS);
    sipd = registrar_start("");
    sim_host_hold_posts(sipd->host, true);
    ck_assert_msg(w->fault.len == 0, "%.*s", SPAN_ARG(buf_span(&w->fault)));
    ck_assert(world_hop_read(SPAN("udp:192.0.2.10:5060"), &hop));
    alice = world_add_peer(w, SPAN("alice"), &hop, SPAN("example.com"));
    ck_assert(world_hop_read(SPAN("udp:192.0.2.20:5060"), &hop));
    bob = world_add_peer(w, SPAN("bob"), &hop, SPAN("example.com"));

    ck_assert_uint_eq(asks(sipd, alice, bob, "MESSAGE", "sip:u0000@example.com", ""), 503);
    ck_assert_uint_eq(
        asks(sipd, alice, bob, "REGISTER", "sip:example.com", "To: <sip:u0000@example.com>\r\n"),
        503);
    ck_assert_uint_eq(registrar_counter("registrar_reading"), 1);
    while (registrar_counter("registrar_reading") &&
           asks(sipd, alice, bob, "MESSAGE", "sip:u0100@example.com", "") == 503)
        sim_host_run_post(sipd->host);
    ck_assert_uint_eq(registrar_counter("registrar_reading"), 1);
    ck_assert_uint_eq(asks(sipd, alice, bob, "MESSAGE", "sip:u0000@example.com", ""), 0);
    ck_assert_uint_eq(
        asks(sipd, alice, bob, "REGISTER", "sip:example.com", "To: <sip:u0000@example.com>\r\n"),
        200);
    ck_assert_uint_eq(asks(sipd, alice, bob, "MESSAGE", "sip:u1990@example.com", ""), 503);
    ck_assert_uint_eq(
        asks(sipd, alice, bob, "REGISTER", "sip:example.com", "To: <sip:zoe@example.com>\r\n"),
        503);
    registrar_read_all(sipd);
    ck_assert_uint_eq(asks(sipd, alice, bob, "MESSAGE", "sip:u1990@example.com", ""), 0);
    ck_assert_uint_eq(asks(sipd, alice, bob, "MESSAGE", "sip:zoe@example.com", ""), 404);
    world_run(w, w->clock.now_ms + 1100, NULL);
    ck_assert_uint_eq(registrar_counter("registrar_bindings"),
                      USERS + 2); /* bob, and a second of u0000 */
}
END_TEST

/* ------------------------------------------------------------------ while the disk is busy */

static void
send_register(struct peer *phone, const char *extra)
{
    const struct peer_say what = { .what = SPAN("REGISTER"),
                                   .uri = SPAN("sip:example.com"),
                                   .extra = span_of(extra) };
    const char *why = "";
    struct span bytes = peer_write(phone, &what, &why);
    struct hop server;

    ck_assert_msg(bytes.len > 0, "%s", why);
    ck_assert(world_hop_read(SPAN("udp:192.0.2.1:5060"), &server));
    world_say(w, phone, &server, bytes);
    world_run(w, w->clock.now_ms + 100, NULL);
}

/* The status of the phone's next answer, 0: none; and has it a time to come back? */
static unsigned
next_status(struct peer *phone, bool *again)
{
    const struct peer_heard *heard = peer_next(phone);
    struct span value;

    if (!heard)
        return 0;
    *again = msg_get(&heard->msg, HDR_RETRY_AFTER, &value);
    return heard->msg.status;
}

/* … when the disk has answered. */
static unsigned
later_status(struct sim_sipd *sipd, struct peer *phone)
{
    unsigned status;
    bool again;

    while ((status = next_status(phone, &again)) == 0) {
        sim_host_run_post(sipd->host);
        world_run(w, w->clock.now_ms + 5, NULL);
    }
    return status;
}

/* As many wait as may; who comes then hears at once that it is to come back, and may when there is room. */
START_TEST(no_more_wait_for_the_disk_than_may)
{
    struct sim_sipd *sipd = registrar_start("max_waiting = 2;");
    struct peer *phone;
    struct hop hop;
    bool again;

    ck_assert_msg(w->fault.len == 0, "%.*s", SPAN_ARG(buf_span(&w->fault)));
    registrar_read_all(sipd);
    ck_assert(world_hop_read(SPAN("udp:192.0.2.10:5060"), &hop));
    phone = world_add_peer(w, SPAN("alice"), &hop, SPAN("example.com"));
    sim_host_hold_posts(sipd->host, true);
    send_register(phone, "To: <sip:u1@example.com>\r\n");
    send_register(phone, "To: <sip:u2@example.com>\r\n");
    ck_assert_uint_eq(next_status(phone, &again), 0);
    send_register(phone, "To: <sip:u3@example.com>\r\n");
    ck_assert_uint_eq(next_status(phone, &again), 503);
    ck_assert(again);
    ck_assert_uint_eq(registrar_counter("registrar_refused"), 1);
    ck_assert_uint_eq(later_status(sipd, phone), 200);
    ck_assert_uint_eq(later_status(sipd, phone), 200);
    send_register(phone, "To: <sip:u3@example.com>\r\n");
    ck_assert_uint_eq(later_status(sipd, phone), 200);
    sim_host_hold_posts(sipd->host, false);
    world_run(w, w->clock.now_ms + 1100, NULL);
    ck_assert_uint_eq(registrar_counter("registrar_bindings"), 3);
}
END_TEST

Suite *
suite_registrar(void)
{
    Suite *suite = suite_create("registrar");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, registrar_begin, registrar_end);
    tcase_add_loop_test(all, service_routes_are_checked, 0, countof(wrong_settings));
    tcase_add_loop_test(all, a_clock_that_is_not_believed, 0, countof(clocks));
    tcase_add_test(all, served_while_it_is_read);
    tcase_add_test(all, no_more_wait_for_the_disk_than_may);
    suite_add_tcase(suite, all);
    return suite;
}
