/*
 * Parsers of other projects, each as its manual says: a whole message into structs, asked for the same few fields.
 */
#include "parse/invite.h"

#include <stddef.h>

#ifdef HAVE_OSIP
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>

static bool
osip_read(struct span bytes)
{
    osip_message_t *message;
    bool good;

    if (osip_message_init(&message))
        return false;
    good = osip_message_parse(message, bytes.at, bytes.len) == 0 && message->call_id &&
           message->cseq && message->from && message->to;
    osip_message_free(message);
    return good;
}
#endif

#ifdef HAVE_SOFIA
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>

static bool
sofia_read(struct span bytes)
{
    msg_t *message = msg_make(sip_default_mclass(), 0, bytes.at, (ssize_t)bytes.len);
    sip_t *sip = message ? sip_object(message) : NULL;
    bool good = sip && sip->sip_call_id && sip->sip_cseq && sip->sip_via && sip->sip_from;

    msg_destroy(message);
    return good;
}
#endif

const struct peer peers[] = {
#ifdef HAVE_OSIP
    { "libosip2 osip_message_parse", osip_read },
#endif
#ifdef HAVE_SOFIA
    { "sofia-sip msg_make", sofia_read },
#endif
    { NULL, NULL },
};

void
peers_init(void)
{
#ifdef HAVE_OSIP
    parser_init();
#endif
}
