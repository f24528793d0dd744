/*
 * A scenario once for each fact of each of its sipds, which is killed behind it.
 */
#include "sim/killed.h"

#include <string.h>

#include "sim/script.h"

enum { TURNS = 17 /* most that two are parted for */ };

#define MACHINE "what it shows is how busy one machine is, which its standby does not know: "
#define NAT                                                                                     \
    "its callee is behind a NAT, and the way to it is a connection that died with the server: " \
    "who "                                                                                      \
    "calls before the phone is back, or in a dialog of that connection, hears 480 (RFC 5626 "   \
    "§5.3): "

/* All that are not finished by a standby, and the reason. test_killed counts them, and sees to it that each is true. */
static const struct {
    const char *name, *why;
} exceptions[] = {
    { "failover.sim", MACHINE "which hops rest" },
    { "flood.sim", MACHINE "what a source has sent of late" },
    { "flood_dropped.sim", MACHINE "what a source has sent of late" },
    { "flood_of_a_user.sim", MACHINE "what a user has sent of late" },
    { "full.sim", MACHINE "how many transactions it holds" },
    { "overload.sim", MACHINE "how late its turns are" },
    { "srv_silent_stateless.sim", MACHINE "which hops say nothing" },
    { "edge_path.sim", NAT "a Path names it" },
    { "registered_nat.sim", NAT "a Record-Route names it" },
    { "stateless.sim", NAT "a Record-Route names it" },
    { "udp_to_tcp.sim", NAT "a Record-Route names it" },
};

const char *
killed_why_not(const char *path)
{
    const char *slash = strrchr(path, '/');

    for (size_t i = 0; i < countof(exceptions); i++)
        if (strcmp(slash ? slash + 1 : path, exceptions[i].name) == 0)
            return exceptions[i].why;
    return NULL;
}

unsigned
killed_exceptions(void)
{
    return countof(exceptions);
}

bool
killed_scenario(const char *path, enum killed_often often, unsigned *kills, struct buf *out)
{
    unsigned sipds = script_sipds(path);
    struct script_kill kill = { .sipd = 0 };
    bool ok = true;

    for (kill.sipd = 0; ok && kill.sipd < sipds; kill.sipd++)
        for (kill.after = 1, kill.came = true; ok && kill.came;
             kill.after += 1 + kill.after / often) {
            ok = script_run_killed(path, 1, &kill, out);
            *kills += kill.came;
            if (!ok)
                buf_printf(out, "when sipd %u was killed behind fact %llu\n", kill.sipd,
                           (unsigned long long)kill.after);
        }
    return ok;
}

bool
killed_parted(const char *path, unsigned *parts, struct buf *out)
{
    unsigned sipds = script_sipds(path);
    struct script_kill kill = { .sipd = 0 };
    bool ok = true;

    for (kill.sipd = 0; ok && kill.sipd < sipds; kill.sipd++)
        for (kill.after = 1, kill.came = true; ok && kill.came;
             kill.after += 1 + kill.after / KILLED_SELDOM) {
            kill.parted_for = 1 + (unsigned)(kill.after * 10 % TURNS);
            ok = script_run_killed(path, 1, &kill, out);
            *parts += kill.came;
            if (!ok)
                buf_printf(out, "when sipd %u was parted behind fact %llu for %u turns\n",
                           kill.sipd, (unsigned long long)kill.after, kill.parted_for);
        }
    return ok;
}
