/*
 * Every name of names.def is found in each of its forms, and nothing else is (RFC 3261 §7.1, §7.3.1).
 */
#include "sip/names.h"

#include "base/def.h"
#include "unit/text.h"

#define NAME_ROOM 64

START_TEST(methods_are_found)
{
    ck_assert_int_eq(names_method(SPAN("INVITE")), METHOD_INVITE);
    ck_assert_int_eq(names_method(SPAN("PUBLISH")), METHOD_PUBLISH);
    ck_assert_int_eq(METHODS - 1, 14);
    for (unsigned id = METHOD_OTHER + 1; id < METHODS; id++)
        must(names_method(names_method_text((enum method)id)) == (enum method)id);
}
END_TEST

START_TEST(methods_know_case)
{
    static const char *const others[] = { "invite",  "Invite", "INVITE ",     "INVIT",
                                          "INVITES", "",       "RE%47IST%45R" };

    for (size_t i = 0; i < countof(others); i++)
        must(names_method(span_of(others[i])) == METHOD_OTHER);
    must_text(names_method_text(METHOD_OTHER), "");
    must_text(names_method_text(METHODS), "");
}
END_TEST

/* The name with its letters in the case that `bits` asks for. */
static struct span
recased(struct span name, unsigned bits, char to[NAME_ROOM])
{
    must(name.len < NAME_ROOM);
    for (size_t i = 0; i < name.len; i++) {
        char lower = span_lower(name.at[i]);
        bool upper = (bits >> i % 3 & 1) && lower >= 'a' && lower <= 'z';

        to[i] = upper ? (char)(lower - ('a' - 'A')) : lower;
    }
    return (struct span){ to, name.len };
}

START_TEST(headers_are_found_in_any_case)
{
    char copy[NAME_ROOM];

    for (unsigned id = HDR_OTHER + 1; id < HEADERS; id++)
        for (unsigned bits = 0; bits < 8; bits++)
            must(names_header(recased(names_header_text((enum header)id), bits, copy)) ==
                 (enum header)id);
}
END_TEST

/* A hash may lead to a name, but its bytes decide: one bit or one byte off and it is another. */
START_TEST(near_misses_are_others)
{
    char copy[NAME_ROOM];

    for (unsigned id = HDR_OTHER + 1; id < HEADERS; id++) {
        struct span name = names_header_text((enum header)id);

        for (size_t i = 0; i < name.len; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                memcpy(copy, name.at, name.len);
                copy[i] = (char)(copy[i] ^ (1 << bit));
                if (span_lower(copy[i]) != span_lower(name.at[i]))
                    must(names_header((struct span){ copy, name.len }) != (enum header)id);
            }
        memcpy(copy, name.at, name.len);
        copy[name.len] = 's';
        must(names_header((struct span){ copy, name.len + 1 }) != (enum header)id);
        if (name.len > 2) /* "T" is To as well */
            must(names_header(span_head(name, name.len - 1)) != (enum header)id);
    }
}
END_TEST

START_TEST(compact_forms_are_found)
{
    static const struct {
        const char *text;
        enum header id;
    } forms[] = {
        { "v", HDR_VIA },
        { "V", HDR_VIA },
        { "i", HDR_CALL_ID },
        { "m", HDR_CONTACT },
        { "l", HDR_CONTENT_LENGTH },
        { "f", HDR_FROM },
        { "t", HDR_TO },
        { "e", HDR_CONTENT_ENCODING },
        { "c", HDR_CONTENT_TYPE },
        { "s", HDR_SUBJECT },
        { "k", HDR_SUPPORTED },
        { "o", HDR_EVENT },
        { "u", HDR_ALLOW_EVENTS },
        { "r", HDR_REFER_TO },
        { "b", HDR_REFERRED_BY },
        { "x", HDR_SESSION_EXPIRES },
        { "a", HDR_ACCEPT_CONTACT },
        { "j", HDR_REJECT_CONTACT },
        { "d", HDR_REQUEST_DISPOSITION },
        { "y", HDR_IDENTITY },
        { "n", HDR_IDENTITY_INFO },
    };
    unsigned found = 0;

    for (size_t i = 0; i < countof(forms); i++)
        must(names_header(span_of(forms[i].text)) == forms[i].id);
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c;

        found += names_header((struct span){ &byte, 1 }) != HDR_OTHER;
    }
    ck_assert_uint_eq(found, 2 * 20);
}
END_TEST

START_TEST(other_headers)
{
    static const char *const others[] = { "",         "Vi",    "Viaa", "X-Via", "Call_ID",
                                          "Call\rID", "Froma", "@",    "`",     "\xff" };

    for (size_t i = 0; i < countof(others); i++)
        must(names_header(span_of(others[i])) == HDR_OTHER);
    must(names_header((struct span){ NULL, 0 }) == HDR_OTHER);
    must_text(names_header_text(HDR_OTHER), "");
    must_text(names_header_text(HEADERS), "");
    must_text(names_header_text(HDR_WWW_AUTHENTICATE), "WWW-Authenticate");
}
END_TEST

START_TEST(flags_tell_the_rules)
{
    ck_assert_uint_eq(names_header_flags(HDR_VIA), H_LIST | H_HOP);
    ck_assert_uint_eq(names_header_flags(HDR_CALL_ID), H_SINGLE);
    ck_assert_uint_eq(names_header_flags(HDR_MAX_FORWARDS), H_SINGLE | H_HOP);
    /* Several fields, but no comma list (RFC 3261 §7.3.1). */
    ck_assert_uint_eq(names_header_flags(HDR_AUTHORIZATION), 0);
    ck_assert_uint_eq(names_header_flags(HDR_OTHER), 0);
    ck_assert_uint_eq(names_header_flags(HEADERS), 0);
    for (unsigned id = 0; id < HEADERS; id++) {
        unsigned both = H_LIST | H_SINGLE;

        must((names_header_flags((enum header)id) & both) != both);
    }
}
END_TEST

Suite *
suite_names(void)
{
    Suite *suite = suite_create("names");
    TCase *all = tcase_create("all");

    tcase_add_test(all, methods_are_found);
    tcase_add_test(all, methods_know_case);
    tcase_add_test(all, headers_are_found_in_any_case);
    tcase_add_test(all, near_misses_are_others);
    tcase_add_test(all, compact_forms_are_found);
    tcase_add_test(all, other_headers);
    tcase_add_test(all, flags_tell_the_rules);
    suite_add_tcase(suite, all);
    return suite;
}
