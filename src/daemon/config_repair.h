/*
 * sipd.conf's repair: what is done about deviations, by server, listener and peer network.
 */
#ifndef DAEMON_CONFIG_REPAIR_H
#define DAEMON_CONFIG_REPAIR_H

#include <sipd/conf.h>

#include "base/arena.h"
#include "base/buf.h"
#include "sip/hop.h"
#include "sip/repair.h"

struct config;

struct config_repair { /* as written: for each rule a word of its choices */
    uint32_t word[DEVIATIONS];
};

struct config_repair_network {
    struct config_repair rules; /* first: their items are a part of its own */
    struct sipd_strs from;
};

struct config_repairs {
    struct config_repair rules;  /* first */
    struct sipd_groups networks; /* of struct config_repair_network */
};

struct config_repair_net { /* one of repair.networks, read */
    struct hop_net *nets;
    size_t len;
    const struct config_repair *rules;
};

/* Of struct config_repairs; and of struct config_repair, where a rule may leave it to what stands around. */
extern const struct sipd_conf_item config_repair_items[], config_repair_inherit_items[];

/* Reads the server's policy and the networks; complaints go to `why`. SIPD_ENOMEM. */
int config_repair_read(struct config *config, struct buf *why) MUST_USE;

/*
 * The policy for what came from there to the n-th listener of the file (SIZE_MAX: none): the first network that has the
 * address, else the listener, else the server. In the arena or lent with config; NULL when memory is out.
 */
const struct repair_policy *config_repair_find(const struct config *config, const struct hop *from,
                                               size_t listener, struct arena *arena);

#endif
