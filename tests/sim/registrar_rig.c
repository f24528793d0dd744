/*
 * A server with a registrar, whose file is in a folder of the test's own.
 */
#include "sim/registrar_rig.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "base/def.h"
#include "base/mem.h"
#include "lib/folder.h"
#include "sim/modules.h"

struct world registrar_world;
char registrar_path[96];

static struct world *const w = &registrar_world;
static char folder[FOLDER_BYTES];
static uint64_t live;

void
registrar_begin(void)
{
    live = mem_live();
    bug_doubt_fatal();
    ck_assert(folder_make("registrar", folder));
    snprintf(registrar_path, sizeof registrar_path, "%s/location.db", folder);
    world_init(w, 1);
}

void
registrar_end(void)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-lock" };
    char name[128];

    world_fini(w);
    for (size_t i = 0; i < countof(ends); i++) {
        snprintf(name, sizeof name, "%s%s", registrar_path, ends[i]);
        unlink(name);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_uint_eq(mem_live(), live);
}

struct sim_sipd *
registrar_start(const char *settings)
{
    struct sim_sipd *sipd = world_add_sipd(w, SPAN("a"));
    struct hop hop;
    char section[512];

    ck_assert(world_hop_read(SPAN("udp:192.0.2.1:5060"), &hop));
    sim_listen(sipd, &hop, 0);
    sipd->domains[sipd->domains_len++] = SPAN("example.com");
    snprintf(section, sizeof section, "{ path = \"%s\"; %s }", registrar_path, settings);
    sim_host_open(sipd, SPAN("registrar"), span_of(section));
    sim_start(sipd);
    return sipd;
}

uint64_t
registrar_counter(const char *name)
{
    return *counters_get(&w->counters, name);
}

void
registrar_read_all(struct sim_sipd *sipd)
{
    sim_host_hold_posts(sipd->host, true);
    while (registrar_counter("registrar_reading"))
        sim_host_run_post(sipd->host);
    sim_host_hold_posts(sipd->host, false);
}

struct peer *
registrar_peer(const char *name, const char *ip)
{
    struct hop hop;
    char text[80];

    snprintf(text, sizeof text, "udp:%s:5060", ip);
    ck_assert(world_hop_read(span_of(text), &hop));
    return world_add_peer(w, span_of(name), &hop, SPAN("example.com"));
}

bool
registrar_calls(struct peer *alice, struct peer *bob, uint64_t after_s)
{
    const struct peer_say what = { .what = SPAN("MESSAGE"), .uri = SPAN("sip:bob@example.com") };
    const struct peer_heard *heard;
    const char *why = "";
    struct span bytes;
    struct hop server;

    ck_assert(world_hop_read(SPAN("udp:192.0.2.1:5060"), &server));
    world_run(w, w->clock.now_ms + after_s * 1000, NULL);
    while (peer_next(bob) || peer_next(alice)) /* of an earlier one */
        ;
    bytes = peer_write(alice, &what, &why);
    ck_assert_msg(bytes.len > 0, "%s", why);
    world_say(w, alice, &server, bytes);
    world_run(w, w->clock.now_ms + 100, bob);
    heard = peer_next(bob);
    return heard && msg_is_request(&heard->msg);
}
