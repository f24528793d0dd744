/*
 * Digest fields as RFC 7616 §3.9 and RFC 3261 §22.4 print them, and as phones send them.
 */
#include "sip/auth.h"

#include "base/def.h"
#include "unit/text.h"

START_TEST(credentials_are_read)
{
    struct digest d;

    ck_assert_int_eq(
        digest_read(SPAN("Digest username=\"Mufasa\",\r\n"
                         "    realm=\"http-auth@example.org\",\r\n"
                         "    uri=\"/dir/index.html\",\r\n"
                         "    algorithm=SHA-256,\r\n"
                         "    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",\r\n"
                         "    nc=00000001,\r\n"
                         "    cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\",\r\n"
                         "    qop=auth,\r\n"
                         "    response=\"753927fa0e85d155564e2e272a28d180\",\r\n"
                         "    opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""),
                    &d),
        SIPD_OK);
    must_text(d.username, "Mufasa");
    must_text(d.realm, "http-auth@example.org");
    must_text(d.uri, "/dir/index.html");
    must_text(d.algorithm, "SHA-256");
    must_text(d.nonce, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
    must_text(d.nc, "00000001");
    must_text(d.cnonce, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
    must_text(d.qop, "auth");
    must_text(d.response, "753927fa0e85d155564e2e272a28d180");
    must_text(d.opaque, "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS");
    must_text(d.domain, "");
    must_text(d.stale, "");
}
END_TEST

START_TEST(challenges_are_read)
{
    struct digest d;

    ck_assert_int_eq(digest_read(SPAN("digest realm=\"atlanta.com\", "
                                      "domain=\"sip:boxesbybob.com\", qop=\"auth,auth-int\","
                                      " nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", "
                                      "stale=FALSE, algorithm=MD5"),
                                 &d),
                     SIPD_OK);
    must_text(d.realm, "atlanta.com");
    must_text(d.domain, "sip:boxesbybob.com");
    must_text(d.qop, "auth,auth-int");
    must_text(d.stale, "FALSE");
    must_text(d.opaque, "");
}
END_TEST

START_TEST(odd_ones_are_read)
{
    struct digest d;

    ck_assert_int_eq(
        digest_read(
            SPAN("Digest "
                 "username=\"bob@example.com\",algorithm=\"MD5\",qop=\"auth\",nc=\"00000001\""),
            &d),
        SIPD_OK);
    must_text(d.algorithm, "MD5");
    must_text(d.nc, "00000001");
    ck_assert_int_eq(
        digest_read(
            SPAN("Digest ,, USERNAME = \"a \\\" , b\" ,x-own=\"1,2\",x-own=3, username*=UTF-8''J,"
                 " response=\"\",algorithm=AKAv1-MD5 , "),
            &d),
        SIPD_OK);
    must_text(d.username, "a \\\" , b");
    must_text(d.algorithm, "AKAv1-MD5");
    must_text(d.response, "");
    ck_assert_int_eq(digest_read(SPAN("  Digest\r\n realm=x,uri=sip:a@b"), &d), SIPD_OK);
    must_text(d.realm, "x");
    must_text(d.uri, "sip:a@b");
}
END_TEST

START_TEST(other_schemes_are_told)
{
    struct digest d;

    ck_assert_int_eq(digest_read(SPAN("NoOneKnowsThisScheme opaque-data=here"), &d), SIPD_ENOENT);
    ck_assert_int_eq(digest_read(SPAN("Basic QWxhZGRpbg=="), &d), SIPD_ENOENT);
    ck_assert_int_eq(digest_read(SPAN("Digestive realm=x"), &d), SIPD_ENOENT);
    ck_assert_int_eq(digest_read(SPAN(""), &d), SIPD_ENOENT);
    ck_assert_int_eq(digest_read(SPAN("\"Digest\" realm=x"), &d), SIPD_ENOENT);
}
END_TEST

START_TEST(others_are_refused)
{
    static const char *const bad[] = {
        "Digest",
        "Digest ",
        "Digest ,",
        "Digest=x",
        "Digest realm",
        "Digest =x",
        "Digest realm=\"x",
        "Digest realm=\"x\"y",
        "Digest realm=\"x\" y=1",
        "Digest realm=x,realm=y",
        "Digest realm=x,REALM=\"x\"",
        "Digest nonce=\"\",nonce=a",
        "Digest \"realm\"=x",
        "Digest re alm=x",
        "Digest realm=x y=1",
        "Digest realm=x\\",
        "Digest realm=x\"y\"",
        "Digest x=1",
        "Digest realm=x,\"",
    };
    struct digest d;

    for (size_t i = 0; i < countof(bad); i++)
        must_for(span_of(bad[i]), digest_read(span_of(bad[i]), &d) == SIPD_ESYNTAX);
}
END_TEST

Suite *
suite_auth(void)
{
    Suite *suite = suite_create("auth");
    TCase *all = tcase_create("all");

    tcase_add_test(all, credentials_are_read);
    tcase_add_test(all, challenges_are_read);
    tcase_add_test(all, odd_ones_are_read);
    tcase_add_test(all, other_schemes_are_told);
    tcase_add_test(all, others_are_refused);
    suite_add_tcase(suite, all);
    return suite;
}
