/*
 * moved: tells callers that a domain has another name now (RFC 3261 §21.3.2).
 */
#include <stdio.h>

#include <sipd/module.h>

struct moved_conf {
    struct span from, to;
};

struct moved {
    const struct moved_conf *conf; /* the host's */
    uint64_t *answered;
};

static const struct sipd_conf_item moved_items[] = {
    SIPD_STR_REQUIRED(moved_conf, from, "domain that has moved; list it under domains, too"),
    SIPD_STR_REQUIRED(moved_conf, to, "its new name, a port may follow"), SIPD_CONF_END
};

static enum sipd_verdict
on_request(struct sipd_req *req, void *self)
{
    struct moved *moved = self;
    struct sipd_reply *reply;
    struct uri uri;
    char contact[512];
    int len;

    if (sipd_req_in_dialog(req) || !sipd_req_uri(req, &uri) ||
        !span_ieq(uri.host, moved->conf->from))
        return SIPD_PASS;
    len = snprintf(contact, sizeof contact, "<%.*s:%.*s%s%.*s>", SPAN_ARG(uri.scheme_text),
                   SPAN_ARG(uri.user), uri.has_user ? "@" : "", SPAN_ARG(moved->conf->to));
    if (len < 0 || (size_t)len >= sizeof contact)
        return SIPD_FAIL;
    ++*moved->answered;
    reply = sipd_reply(req, 301);
    sipd_reply_header(reply, SPAN("Contact"), span_of(contact));
    return (enum sipd_verdict)sipd_reply_send(reply);
}

static int
moved_load(struct sipd_host *host, const void *conf, void **self)
{
    struct moved *moved = *self = sipd_new(host, sizeof *moved);

    if (!moved)
        return SIPD_ENOMEM;
    moved->conf = conf;
    moved->answered = sipd_counter(host, "moved_answered");
    return sipd_hook(host, SIPD_ON_REQUEST, 500, on_request, moved);
}

SIPD_MODULE(.name = "moved", .conf = moved_items, .conf_bytes = sizeof(struct moved_conf),
            .load = moved_load);
