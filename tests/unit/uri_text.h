/*
 * A URI of a test's text.
 */
#ifndef UNIT_URI_TEXT_H
#define UNIT_URI_TEXT_H

#include "sip/uri.h"
#include "unit/text.h"

static inline struct uri
uri_text(const char *text)
{
    struct uri uri;

    must_for(span_of(text), uri_read(span_of(text), &uri) == SIPD_OK);
    return uri;
}

#endif
