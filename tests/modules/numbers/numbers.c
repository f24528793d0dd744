/*
 * numbers: telephone numbers and desks as Request-URIs (RFC 3966 §9, RFC 3261 §16.5, §19.1.6).
 *
 * Numbers of ours become users of our first domain, a context that is a domain of ours makes them that domain's,
 * other global ones go to a gateway. x-desk: is a scheme of this house alone: a desk is looked up, which takes a
 * while.
 */
#include <sipd/module.h>

enum { LOOK_UP_MS = 50 };

struct numbers_conf {
    struct span ours, gateway;
};

struct numbers {
    const struct numbers_conf *conf; /* the host's */
    struct sipd_host *host;
    uint64_t found; /* the request whose desk was looked up last */
};

static const struct sipd_conf_item numbers_items[] = {
    SIPD_STR_REQUIRED(numbers_conf, ours,
                      "how numbers of ours begin, without visual separators: \"+1201555\""),
    SIPD_STR_REQUIRED(numbers_conf, gateway,
                      "host, a port may follow, that knows all other numbers"),
    SIPD_CONF_END
};

static bool
is_ours(const struct numbers *n, const struct tel *tel)
{
    char digits[64];
    int len = tel_number_write(tel, digits, sizeof digits);

    return tel->global && len > 0 &&
           span_starts((struct span){ digits, (size_t)len }, n->conf->ours);
}

/* This number is a user there. */
static enum sipd_verdict
is_user(struct sipd_req *req, const struct tel *tel, struct span domain)
{
    char uri[512];
    int len = tel_sip_write(tel, false, domain, uri, sizeof uri);

    if (len < 0 || sipd_req_set_uri(req, (struct span){ uri, (size_t)len }) != SIPD_OK)
        return SIPD_FAIL;
    return SIPD_PASS;
}

static enum sipd_verdict
is_behind_gateway(struct sipd_req *req, const struct tel *tel, struct span gateway)
{
    char uri[512];
    int len = tel_sip_write(tel, false, gateway, uri, sizeof uri);
    struct sipd_target target = { .uri = { uri, len < 0 ? 0 : (size_t)len }, .q = 1000 };

    return len > 0 && sipd_req_add_target(req, &target) == SIPD_OK ? SIPD_DONE : SIPD_FAIL;
}

/*
 * A parameter that must be understood and is not forbids to use the number (RFC 3966 §5.4); a local one needs its
 * context (§9).
 */
static enum sipd_verdict
on_tel(struct sipd_req *req, void *self)
{
    struct numbers *n = self;
    struct tel tel;
    struct uri uri;

    if (!sipd_req_uri(req, &uri) || tel_of_uri(&uri, &tel) != SIPD_OK || !tel_is_usable(&tel))
        return (enum sipd_verdict)sipd_reply_send(sipd_reply(req, 416));
    if (is_ours(n, &tel))
        return is_user(req, &tel, sipd_domain(n->host, 0));
    if (tel.global)
        return is_behind_gateway(req, &tel, n->conf->gateway);
    return sipd_is_ours(n->host, tel.context, 0) ? is_user(req, &tel, tel.context) : SIPD_PASS;
}

static void
looked_up(void *self, uint64_t req_id)
{
    struct numbers *n = self;

    n->found = req_id;
    sipd_resume(n->host, req_id);
}

static enum sipd_verdict
on_desk(struct sipd_req *req, void *self)
{
    struct numbers *n = self;
    struct sipd_target target = { .uri = SPAN("sip:reception@192.0.2.40"), .q = 1000 };

    if (n->found != sipd_req_id(req))
        return sipd_timer(n->host, LOOK_UP_MS, looked_up, n, sipd_req_id(req)) ? SIPD_WAIT
                                                                               : SIPD_FAIL;
    if (!span_ieq(sipd_req_uri_text(req), SPAN("x-desk:reception")))
        return SIPD_PASS;
    return sipd_req_add_target(req, &target) == SIPD_OK ? SIPD_DONE : SIPD_FAIL;
}

static bool
is_same_desk(void *self, const struct uri *a, const struct uri *b)
{
    (void)self;
    return span_ieq(a->rest, b->rest);
}

static const struct sipd_scheme_ops tel_ops = { .target = on_tel };
static const struct sipd_scheme_ops desk_ops = { .eq = is_same_desk, .target = on_desk };

static int
numbers_load(struct sipd_host *host, const void *conf, void **self)
{
    struct numbers *n = *self = sipd_new(host, sizeof *n);
    int err;

    if (!n)
        return SIPD_ENOMEM;
    n->conf = conf;
    n->host = host;
    err = sipd_offer_scheme(host, SPAN("tel"), &tel_ops, n);
    return err == SIPD_OK ? sipd_offer_scheme(host, SPAN("x-desk"), &desk_ops, n) : err;
}

SIPD_MODULE(.name = "numbers", .conf = numbers_items, .conf_bytes = sizeof(struct numbers_conf),
            .load = numbers_load);
