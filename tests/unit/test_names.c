/*
 * Every name of names.def is found in each of its forms, and nothing else is (RFC 3261 §7.1, §7.3.1).
 */
#include "sip/names.h"

#include <stdio.h>

#include "base/def.h"
#include "sip/name_find.h"
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

/* In a line as in a span: whatever stands behind the name, and with each bit of it turned over. */
START_TEST(names_are_found_in_a_line)
{
    char line[NAME_ROOM];

    for (unsigned id = HDR_OTHER + 1; id < HEADERS; id++) {
        struct span name = names_header_text((enum header)id);

        for (unsigned behind = 0; behind < 256; behind += 51) {
            memset(line, (int)behind, sizeof line);
            memcpy(line, name.at, name.len);
            line[name.len] = ':';
            must(names_header_in(line, name.len) == (enum header)id);
        }
        for (size_t i = 0; i < name.len * 8; i++) {
            line[i / 8] = (char)(line[i / 8] ^ 1 << i % 8);
            must(names_header_in(line, name.len) == names_header((struct span){ line, name.len }));
            line[i / 8] = name.at[i / 8];
        }
    }
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

/* As the grammars of the RFCs have them: lists of values behind commas, … */
static const char *const lists[] = { "Accept",
                                     "Accept-Encoding",
                                     "Accept-Language",
                                     "Alert-Info",
                                     "Allow",
                                     "Authentication-Info",
                                     "Call-Info",
                                     "Contact",
                                     "Content-Encoding",
                                     "Content-Language",
                                     "Error-Info",
                                     "In-Reply-To",
                                     "Proxy-Require",
                                     "Record-Route",
                                     "Require",
                                     "Route",
                                     "Supported",
                                     "Unsupported",
                                     "Via",
                                     "Warning",
                                     "Allow-Events",
                                     "P-Asserted-Identity",
                                     "P-Preferred-Identity",
                                     "Reason",
                                     "Path",
                                     "Security-Client",
                                     "Security-Server",
                                     "Security-Verify",
                                     "Service-Route",
                                     "Request-Disposition",
                                     "Accept-Contact",
                                     "Reject-Contact",
                                     "Recv-Info",
                                     "Geolocation",
                                     "Feature-Caps",
                                     "History-Info",
                                     "P-Associated-URI",
                                     "P-Visited-Network-ID",
                                     "P-Access-Network-Info",
                                     "P-Charging-Function-Addresses",
                                     "User-to-User" };
/* … one value, in as many fields as there are values (RFC 3261 §7.3.1, RFC 8224 §4), … */
static const char *const rows[] = { "Authorization", "Proxy-Authorization", "WWW-Authenticate",
                                    "Proxy-Authenticate", "Identity" };
/* … and one value in all. */
static const char *const singles[] = { "Call-ID",
                                       "Content-Disposition",
                                       "Content-Length",
                                       "Content-Type",
                                       "CSeq",
                                       "Date",
                                       "Expires",
                                       "From",
                                       "Max-Forwards",
                                       "MIME-Version",
                                       "Min-Expires",
                                       "Organization",
                                       "Priority",
                                       "Reply-To",
                                       "Retry-After",
                                       "Server",
                                       "Subject",
                                       "Timestamp",
                                       "To",
                                       "User-Agent",
                                       "RAck",
                                       "RSeq",
                                       "Event",
                                       "Subscription-State",
                                       "Privacy",
                                       "Refer-To",
                                       "Replaces",
                                       "Referred-By",
                                       "SIP-ETag",
                                       "SIP-If-Match",
                                       "Join",
                                       "Session-Expires",
                                       "Min-SE",
                                       "Refer-Sub",
                                       "Target-Dialog",
                                       "Max-Breadth",
                                       "Flow-Timer",
                                       "Suppress-If-Match",
                                       "Info-Package",
                                       "Geolocation-Routing",
                                       "Geolocation-Error",
                                       "P-Called-Party-ID",
                                       "P-Charging-Vector",
                                       "Session-ID",
                                       "Refer-Events-At",
                                       "Identity-Info" };

static unsigned
check_flags(const char *const *names, size_t len, unsigned flags)
{
    for (size_t i = 0; i < len; i++) {
        enum header id = names_header(span_of(names[i]));

        must_for(span_of(names[i]),
                 id != HDR_OTHER && (names_header_flags(id) & (H_LIST | H_SINGLE)) == flags);
        must_text(names_header_text(id), names[i]);
    }
    return (unsigned)len;
}

START_TEST(flags_tell_the_rules)
{
    unsigned told = check_flags(lists, countof(lists), H_LIST) +
                    check_flags(rows, countof(rows), 0) +
                    check_flags(singles, countof(singles), H_SINGLE);

    ck_assert_uint_eq(told, HEADERS - 1);
    ck_assert_uint_eq(names_header_flags(HDR_OTHER), 0);
    ck_assert_uint_eq(names_header_flags(HEADERS), 0);
}
END_TEST

/* ------------------------------------------------------------------ hop by hop */

/* The column "proxy" for requests (R) and responses (r) where an a, m or d stands in it: as the tables have it, … */
struct hop_rule {
    const char *name, *requests, *responses;
};

static const struct hop_rule rfc3261_tables_2_and_3[] = {
    { "Alert-Info", "ar", "ar" },
    { "Call-Info", "ar", "ar" },
    { "Contact", "", "d" },
    { "Content-Length", "ar", "ar" },
    { "Date", "a", "a" },
    { "Error-Info", "", "a" },
    { "Max-Forwards", "amr", "" },
    { "Organization", "ar", "ar" },
    { "Priority", "ar", "" },
    { "Proxy-Authenticate", "", "ar" },
    { "Proxy-Authorization", "dr", "" },
    { "Proxy-Require", "ar", "" },
    { "Record-Route", "ar", "mr" },
    { "Require", "ar", "ar" },
    { "Route", "adr", "" },
    { "Via", "amr", "dr" },
    { "WWW-Authenticate", "", "ar" },
    { "Call-ID", "r", "r" },
    { "CSeq", "r", "r" },
    { "From", "r", "r" },
    { "To", "r", "r" },
};

static const struct hop_rule other_tables[] = {
    { "Privacy", "amrd", "amrd" },            /* RFC 3323 §4.2 */
    { "P-Asserted-Identity", "adr", "adr" },  /* RFC 3325 §9.1 */
    { "P-Preferred-Identity", "adr", "adr" }, /* RFC 3325 §9.2 */
    { "Path", "ar", "" },                     /* RFC 3327 §4 */
    { "Security-Client", "ard", "" },         /* RFC 3329 §2.6 */
    { "Security-Verify", "ard", "" },
    { "Service-Route", "", "ar" },  /* RFC 3608 §5 */
    { "Accept-Contact", "ar", "" }, /* RFC 3841 §9 */
    { "Reject-Contact", "ar", "" },
    { "Request-Disposition", "ar", "" },
    { "Session-Expires", "amr", "ar" }, /* RFC 4028 §4 */
    { "Min-SE", "amr", "" },
};

/* … and what the other RFCs say that a proxy may do. */
static const struct hop_rule rules_in_words[] = {
    { "Max-Breadth", "am", "" },             /* RFC 5393 §5.3.3 */
    { "Flow-Timer", "", "a" },               /* RFC 5626 §5.4: the edge proxy */
    { "Identity", "a", "" },                 /* RFC 8224 §6.1: its authentication service */
    { "History-Info", "am", "am" },          /* RFC 7044 §9 */
    { "Feature-Caps", "a", "a" },            /* RFC 6809 §4.2.4 */
    { "Session-ID", "am", "am" },            /* RFC 7989 §7 */
    { "Geolocation", "am", "" },             /* RFC 6442 §4.1 */
    { "Geolocation-Routing", "am", "" },     /* RFC 6442 §4.2 */
    { "P-Called-Party-ID", "a", "" },        /* RFC 7315 §4.2.2.2 */
    { "P-Visited-Network-ID", "ad", "" },    /* RFC 7315 §4.3.2.2 */
    { "P-Access-Network-Info", "ad", "ad" }, /* RFC 7315 §4.4.2.2 */
    { "P-Charging-Function-Addresses", "ad", "ad" }, /* RFC 7315 §4.5.2.2 */
    { "P-Charging-Vector", "amd", "amd" },           /* RFC 7315 §4.6.2.2 */
};

/* To read it (r) is no hop's right to change it. */
static unsigned
hop_flag(const char *column, unsigned flag)
{
    return strpbrk(column, "amd") ? flag : 0;
}

static unsigned
check_hops(const struct hop_rule *rules, size_t len)
{
    unsigned flagged = 0;

    for (size_t i = 0; i < len; i++) {
        struct span name = span_of(rules[i].name);
        unsigned wanted =
            hop_flag(rules[i].requests, H_HOP_REQ) | hop_flag(rules[i].responses, H_HOP_RES);

        must_for(name, names_header(name) != HDR_OTHER);
        must_for(name, (names_header_flags(names_header(name)) & H_HOP) == wanted);
        flagged += wanted != 0;
    }
    return flagged;
}

/* No other name has such a flag: it is end to end. */
START_TEST(hops_are_told)
{
    unsigned told = check_hops(rfc3261_tables_2_and_3, countof(rfc3261_tables_2_and_3)) +
                    check_hops(other_tables, countof(other_tables)) +
                    check_hops(rules_in_words, countof(rules_in_words));
    unsigned flagged = 0;

    for (unsigned id = 0; id < HEADERS; id++)
        flagged += (names_header_flags((enum header)id) & H_HOP) != 0;
    ck_assert_uint_eq(flagged, told);
}
END_TEST

/* Where each is defined: an RFC and its section. */
START_TEST(sections_are_told)
{
    static const char *const sections[] = {
#define METHOD(id, text)
#define HEADER(id, text, compact, flags, section) section,
#include "sip/names.def"
    };

    for (size_t i = 0; i < countof(sections); i++) {
        unsigned rfc, chapter;

        must_for(span_of(sections[i]), sscanf(sections[i], "RFC %u §%u", &rfc, &chapter) == 2);
        must_for(span_of(sections[i]), rfc >= 3261 && chapter > 0);
    }
    ck_assert_uint_eq(countof(sections), HEADERS - 1);
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
    tcase_add_test(all, names_are_found_in_a_line);
    tcase_add_test(all, near_misses_are_others);
    tcase_add_test(all, compact_forms_are_found);
    tcase_add_test(all, other_headers);
    tcase_add_test(all, flags_tell_the_rules);
    tcase_add_test(all, hops_are_told);
    tcase_add_test(all, sections_are_told);
    suite_add_tcase(suite, all);
    return suite;
}
