/*
 * Secrets are not shown; all else is, byte for byte.
 */
#include "base/mask.h"

#include "unit/heap.h"
#include "unit/text.h"

static const struct {
    const char *text, *shown;
} cases[] = {
    { "", "" },
    { "INVITE sip:bob@example.com SIP/2.0", "INVITE sip:bob@example.com SIP/2.0" },
    { "INVITE sip:bob:secret@example.com SIP/2.0", "INVITE sip:bob:***@example.com SIP/2.0" },
    { "<SIPS:bob:a:b@[::1]:5061>", "<SIPS:bob:***@[::1]:5061>" },
    { "sip:example.com:5060 sip:a@b", "sip:example.com:5060 sip:a@b" },
    { "gossip:bob:secret@x", "gossip:bob:secret@x" },
    { "Digest username=\"bob\", response=\"0a4f\", uri=\"sip:x\"",
      "Digest username=\"bob\", response=\"***\", uri=\"sip:x\"" },
    { "RESPONSE = \"0a4f\"", "RESPONSE = \"***\"" },
    { "response=0123456789abcdef0123456789abcdef, qop=auth", "response=***, qop=auth" },
    { "response=\"cut", "response=\"***" },
    { "why=\"Digest response=\\\"0a4f\\\", x\"", "why=\"Digest response=\\\"***\\\", x\"" },
    { "response=\"\"", "response=\"\"" },
    { "the response=200 is the best", "the response=200 is the best" },
    { "a response came", "a response came" },
    { "no-response=\"x\"", "no-response=\"x\"" },
    { "rspauth=\"0a\",cnonce=\"0b\",nonce=\"0c\"", "rspauth=\"***\",cnonce=\"***\",nonce=\"0c\"" },
    { "Cookie: a=b; c=d\r\nTo: x", "Cookie: ***\r\nTo: x" },
    { "Set-Cookie:  a\nTo: x", "Set-Cookie:  ***\nTo: x" },
    { "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0Rmd/+m|2^20|1:4 UNENCRYPTED_SRTP\r\n",
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:*** UNENCRYPTED_SRTP\r\n" },
    { "inline:aaaa;inline:bbbb", "inline:***;inline:***" },
    { "k=clear:letmein\r\na=x", "k=clear:***\r\na=x" },
};

START_TEST(secrets_become_stars)
{
    struct buf out;

    buf_init(&out, 1000);
    mask_put(&out, span_of(cases[_i].text));
    must_text(buf_span(&out), cases[_i].shown);
    buf_fini(&out);
}
END_TEST

/* Whoever masks what was masked changes nothing more. */
START_TEST(stars_stay_stars)
{
    struct buf out;

    buf_init(&out, 1000);
    mask_put(&out, span_of(cases[_i].shown));
    must_text(buf_span(&out), cases[_i].shown);
    buf_fini(&out);
}
END_TEST

Suite *
suite_mask(void)
{
    Suite *suite = suite_create("mask");
    TCase *all = heap_case("all");

    tcase_add_loop_test(all, secrets_become_stars, 0, (int)countof(cases));
    tcase_add_loop_test(all, stars_stay_stars, 0, (int)countof(cases));
    suite_add_tcase(suite, all);
    return suite;
}
