/*
 * Other ways for a response that could not leave where its request came from (RFC 3263 §5).
 */
#include "core/backup.h"

#include "core/answer.h"
#include "core/mark.h"
#include "core/state.h"

enum { BACKUPS_MAX = 32 };

/* The Via that its client wrote, on top of the response; NULL when it cannot be read any more. */
static const struct via *
client_via(struct core *core, const struct txn *txn, struct gist *gist)
{
    struct msg msg;

    if (msg_read(txns_sent(&core->txns, txn), core->ports.turn, &msg) != SIPD_OK)
        return NULL;
    gist_read(&msg, gist);
    return gist->via.host.len > 0 ? &gist->via : NULL;
}

/* An address needs no look-up; the transport is that of the Via. */
static bool
literal_hop(const struct via *via, struct hop *hop)
{
    *hop = (struct hop){ .transport = via->transport };
    hop->port = via->port ? via->port : hop_default_port(hop->transport);
    return hop->transport != HOP_NONE && hop_ip_read(via->host, hop);
}

/* "_sips" and TCP for TLS, else "_sip" and the Via's transport; SRV only without a port. */
static bool
ask_resolver(struct core *core, uint64_t txn, const struct gist *gist)
{
    const struct core_ports *ports = &core->ports;
    const struct via *via = &gist->via;
    bool tls = via->transport == HOP_TLS;
    struct uri uri = {
        .scheme = tls ? URI_SIPS : URI_SIP,
        .scheme_text = tls ? SPAN("sips") : SPAN("sip"),
        .host = via->host,
        .port = via->port,
        .params = SPAN("transport=tcp"),
    };
    struct sipd_place place = { .uri = &uri, .for_answer = true };
    struct mark mark;

    mark_begin(core, gist, &mark);
    place.seed = mark_seed(&mark);
    return ports->resolve && ports->resolve(ports->io, &place, txn) == SIPD_OK;
}

/* RFC 5922 §4: over TLS they must prove to be the name in the Via. */
static void
name_all(struct core *core, uint64_t txn_id, struct hop *hops, size_t len)
{
    const struct core_ports *ports = &core->ports;
    const struct txn *txn = txns_find(&core->txns, txn_id);
    struct gist gist;
    const struct via *via = txn && txn->bytes ? client_via(core, txn, &gist) : NULL;

    for (size_t i = 0; via && ports->name && i < len; i++)
        if (hops[i].transport == HOP_TLS)
            hops[i].name = ports->name(ports->io, via->host);
}

void
core_resolved_answer(struct core *core, uint64_t txn, const struct hop *hops, size_t hops_len)
{
    struct hop backups[BACKUPS_MAX];
    struct txn_told told;

    if (hops_len > BACKUPS_MAX)
        hops_len = BACKUPS_MAX;
    if (hops_len > 0)
        memcpy(backups, hops, hops_len * sizeof *hops);
    name_all(core, txn, backups, hops_len);
    txns_backup(&core->txns, txn, backups, hops_len, &told);
    answer_told(core, &told);
}

void
backup_find(struct core *core, uint64_t id)
{
    const struct txn *txn = txns_find(&core->txns, id);
    struct gist gist;
    const struct via *via = client_via(core, txn, &gist);
    struct hop hop;

    if (via && literal_hop(via, &hop))
        core_resolved_answer(core, id, &hop, hop_eq(&hop, &txn->hop) ? 0 : 1); /* not twice */
    else if (!via || !ask_resolver(core, id, &gist))
        core_resolved_answer(core, id, NULL, 0);
}
