/*
 * What is done about deviations, by server, listener and peer network (RFC 4475).
 */
#include "daemon/config_repair.h"

#include <stdio.h>

#include "daemon/config.h"

/* In the order of enum repair_choices; behind a word that leaves it to what stands around. */
static const char *const words[][5] = {
    [REPAIR_ALL] = { "inherit", "accept", "fix", "reject", NULL },
    [REPAIR_ACCEPT_REJECT] = { "inherit", "accept", "reject", NULL },
    [REPAIR_FIX_REJECT] = { "inherit", "fix", "reject", NULL },
};

/* Where a verdict stands among the words of a rule, "inherit" not counted. */
#define WORD_ALL(verdict)           (REPAIR_##verdict)
#define WORD_ACCEPT_REJECT(verdict) (REPAIR_##verdict == REPAIR_REJECT)
#define WORD_FIX_REJECT(verdict)    (REPAIR_##verdict == REPAIR_REJECT)

#define RULE(id, words_from, normal, docs)                                        \
    .kind = SIPD_CONF_CHOICE,                                                     \
    .offset = offsetof(struct config_repair, word) + sizeof(uint32_t) * DEV_##id, \
    .choices = (words_from), .number = (normal), .doc = (docs)

#define INHERIT(id, name, choices) \
    { .key = name, RULE(id, words[REPAIR_##choices], 0, "as repair." name ", but here alone") },

const struct sipd_conf_item config_repair_inherit_items[] = {
#define DEVIATION(id, name, choices, verdict, phrase, section, what, fix) INHERIT(id, name, choices)
#include "sip/deviation.def"
    SIPD_CONF_END
};

static const struct sipd_conf_item network_items[] = {
    SIPD_STRS(config_repair_network, from, "", 1, 1000,
              "networks, as \"10.0.0.0/8\", or addresses"),
#define DEVIATION(id, name, choices, verdict, phrase, section, what, fix) INHERIT(id, name, choices)
#include "sip/deviation.def"
    SIPD_CONF_END
};

const struct sipd_conf_item config_repair_items[] = {
#define DEVIATION(id, name, choices, verdict, phrase, section, what, fix) \
    { .key = name,                                                        \
      RULE(id, words[REPAIR_##choices] + 1, WORD_##choices(verdict), what " (" section ")") },
#include "sip/deviation.def"
    SIPD_GROUPS(config_repairs, networks, config_repair_network, network_items, 0, 100,
                "the rules again for the peers of some networks; the first that has the sender's "
                "address counts, before the listener's; \"inherit\" or not written: as there"),
    SIPD_CONF_END
};

static enum repair_verdict
verdict_of(enum deviation id, uint32_t word)
{
    enum repair_choices choices = deviation_info(id)->choices;

    if (choices == REPAIR_ALL)
        return (enum repair_verdict)word;
    if (word > 0)
        return REPAIR_REJECT;
    return choices == REPAIR_FIX_REJECT ? REPAIR_FIX : REPAIR_ACCEPT;
}

/* Rules that do not say "inherit" are laid over a policy. */
static void
lay_over(struct repair_policy *policy, const struct config_repair *rules)
{
    for (int id = 0; id < DEVIATIONS; id++)
        if (rules->word[id] > 0)
            policy->verdict[id] = (uint8_t)verdict_of((enum deviation)id, rules->word[id] - 1);
}

static int
read_network(struct config *c, size_t i, struct buf *why)
{
    const struct config_repair_network *from =
        (const struct config_repair_network *)c->text.repair.networks.at + i;
    struct config_repair_net *to = &c->repair_nets[i];
    const char *wrong;
    char path[64];

    to->rules = &from->rules;
    to->nets = arena_zalloc(&c->arena, (from->from.len + 1) * sizeof *to->nets);
    if (!to->nets)
        return SIPD_ENOMEM;
    for (; to->len < from->from.len; to->len++) {
        if (hop_net_read(from->from.at[to->len], &to->nets[to->len], &wrong))
            continue;
        snprintf(path, sizeof path, "repair.networks.[%zu].from", i);
        config_complain(c, path, why, "\"%.*s\" %s", SPAN_ARG(from->from.at[to->len]), wrong);
    }
    return SIPD_OK;
}

int
config_repair_read(struct config *c, struct buf *why)
{
    size_t len = c->text.repair.networks.len;
    int err = SIPD_OK;

    for (int id = 0; id < DEVIATIONS; id++)
        c->repair.verdict[id] =
            (uint8_t)verdict_of((enum deviation)id, c->text.repair.rules.word[id]);
    c->repair_nets = arena_zalloc(&c->arena, (len + 1) * sizeof *c->repair_nets);
    if (!c->repair_nets)
        return SIPD_ENOMEM;
    for (; c->repair_nets_len < len && err == SIPD_OK; c->repair_nets_len++)
        err = read_network(c, c->repair_nets_len, why);
    return err;
}

static const struct config_repair *
network_of(const struct config *c, const struct hop *from)
{
    for (size_t i = 0; i < c->repair_nets_len; i++)
        for (size_t k = 0; k < c->repair_nets[i].len; k++)
            if (hop_net_has(&c->repair_nets[i].nets[k], from))
                return c->repair_nets[i].rules;
    return NULL;
}

const struct repair_policy *
config_repair_find(const struct config *c, const struct hop *from, size_t listener,
                   struct arena *arena)
{
    const struct config_repair *network = network_of(c, from);
    const struct config_listen *at =
        listener < c->text.listen.len ? (const struct config_listen *)c->text.listen.at + listener
                                      : NULL;
    struct repair_policy *policy;

    if (!network && !at)
        return &c->repair;
    policy = arena_alloc(arena, sizeof *policy);
    if (!policy)
        return NULL;
    *policy = c->repair;
    if (at)
        lay_over(policy, &at->repair);
    if (network)
        lay_over(policy, network);
    return policy;
}
