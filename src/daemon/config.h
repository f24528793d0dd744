/*
 * sipd.conf: the server's own sections in one struct, read by the same kind of schema as a module's.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <libconfig.h>

#include <sipd/conf.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/core.h"
#include "daemon/config_repair.h"
#include "host/conf_item.h"
#include "net/net.h"

struct config_listen {
    uint32_t transport; /* enum hop_transport - 1 */
    struct span address;
    uint32_t port;
    struct span advertise;
    uint32_t rport; /* enum net_rport */
    struct config_repair repair;
    bool freebind, alias, trains;
};

struct config_text { /* what the file says, by config_items */
    struct sipd_strs domains;
    struct sipd_groups listen; /* of struct config_listen */
    struct sipd_strs modules;
    struct {
        uint32_t mode, fork, relay, stray;
        bool record_route, path, path_required, recurse;
        uint32_t no_answer_s, timer_c_s, trying_ms, silent_ms, max_breadth;
    } proxy;
    struct config_repairs repair;
    struct {
        uint32_t repairs, transactions, connections, message_bytes, targets, queue_bytes;
        uint32_t idle_s, message_s, connect_s, first_byte_s, first_message_s, keepalive_s;
        uint32_t source_connections, held_mib;
        uint32_t lag_ms, queue_percent;
        uint32_t source_per_s, source_register_per_s, user_per_s, burst_s, sources, flood;
        struct sipd_strs flood_exempt;
    } limits;
    struct span state_dir;
    struct {
        struct span socket, group;
    } control;
    struct {
        bool always;
        uint32_t memory_mib;
    } explain;
    struct {
        uint32_t level, to;
    } log;
    uint32_t drain_s;
    struct span user, group;
};

struct config {
    char *file;         /* owned */
    config_t tree;      /* modules' sections are read from it */
    struct arena arena; /* all that text points to */
    struct config_text text;
    /* one for each of text.listen, wildcards as they are; in the arena */
    struct net_listen *listens;
    size_t listens_len;
    struct repair_policy repair;           /* the server's own */
    struct config_repair_net *repair_nets; /* one for each of text.repair.networks; in the arena */
    size_t repair_nets_len;
    struct core_conf core;
    struct net_conf net;
};

extern const struct sipd_conf_item config_items[];

/*
 * Reads a file and looks at everything that needs neither rights nor the network's state. `why` gets all complaints, a line
 * each. SIPD_OK, SIPD_EINVAL, SIPD_ENOMEM; *config is NULL then. Owns: the caller, ends it with config_free().
 */
int config_load(struct config **config, const char *file, const char *module_dir,
                struct buf *why) MUST_USE;
/* Ends it; nulls the pointer. NULL inside is fine. */
void config_free(struct config **config);

/* Complains about a place of the file: path as "listen.[0].address"; key as people write it. Adds to `why`. */
void config_complain(const struct config *config, const char *path, struct buf *why,
                     const char *format, ...) PRINTF_LIKE(4, 5);
/* Do all addresses to listen on exist on this machine? SIPD_EINVAL with complaints. */
int config_check_addresses(const struct config *config, struct buf *why) MUST_USE;
/* Is this host (advertise without its port, if it has one)? */
void config_split_advertise(struct span advertise, struct span *host, uint16_t *port);
/* "udp:192.0.2.1:5060", IPv6 in brackets; lent as long as `to`. */
struct span config_listen_text(const struct hop *at, char to[HOP_TEXT_BYTES + 8]);

#endif
