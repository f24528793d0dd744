/*
 * A caller's Contact beside what it proved to be (RFC 5627 §6.1).
 */
#include "caller.h"

#include "gruu.h"

/* RFC 3261 §12.1, RFC 6665 §4.4.1, RFC 3515 §2.4.4. */
static bool
begins_dialog(const struct sipd_req *req)
{
    struct span method = sipd_req_method(req);

    return !sipd_req_in_dialog(req) &&
           (span_eq(method, SPAN("INVITE")) || span_eq(method, SPAN("SUBSCRIBE")) ||
            span_eq(method, SPAN("REFER")));
}

static bool
contact_read(const struct sipd_req *req, struct uri *uri)
{
    struct span value;
    struct addr addr;

    return sipd_req_header(req, SPAN("Contact"), 0, &value) &&
           addr_next(&value, &addr) == SIPD_OK && uri_read(addr.uri, uri) == SIPD_OK;
}

/* Is this the AoR of whom From names? Who proved to be someone has the right to that name (auth). */
static bool
is_sender(const struct registrar *r, const struct sipd_req *req, struct span aor)
{
    char text[STORE_AOR_BYTES];
    struct addr from;
    struct span its;
    struct uri uri;

    return sipd_req_from(req, &from) && uri_read(from.uri, &uri) == SIPD_OK &&
           registrar_aor(r, &uri, text, &its) && span_eq(its, aor);
}

/* … or that of the user, whom From names by an alias? */
static bool
is_user(const struct registrar *r, struct span user, struct span aor)
{
    char name[STORE_AOR_BYTES] = "sip:", text[STORE_AOR_BYTES];
    struct span its;
    struct uri uri;

    if (user.len > sizeof name - 4)
        return false;
    memcpy(name + 4, user.at, user.len);
    return uri_read((struct span){ name, 4 + user.len }, &uri) == SIPD_OK &&
           registrar_aor(r, &uri, text, &its) && span_eq(its, aor);
}

bool
caller_borrows(const struct registrar *r, const struct sipd_req *req)
{
    struct span user = sipd_req_user(req), aor, gr;
    char text[STORE_AOR_BYTES];
    struct uri uri;

    return user.len > 0 && begins_dialog(req) && contact_read(req, &uri) && gruu_read(&uri, &gr) &&
           registrar_aor(r, &uri, text, &aor) && !is_sender(r, req, aor) && !is_user(r, user, aor);
}
