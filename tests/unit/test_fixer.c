/*
 * A field that a module looks after is found whatever its name, and nobody is asked about a message without it.
 */
#include "core/fixer.h"

#include <stdio.h>

#include "sip/gist.h"
#include "unit/core_rig.h"
#include "unit/message.h"

static unsigned asked;

static enum sipd_fix
never_good(struct sipd_field *field, void *self)
{
    (void)self;
    (void)field;
    asked++;
    return SIPD_FIX_REFUSE;
}

/* A message of one field. */
static struct msg
message_of(struct span name)
{
    char text[128];

    snprintf(text, sizeof text, "INVITE sip:b@x SIP/2.0\r\n%.*s: x\r\n\r\n", SPAN_ARG(name));
    return read_text(text);
}

static bool
finds(const struct fixers *fixers, const struct msg *msg)
{
    struct gist gist;
    struct hop from = { .port = 0 };

    gist_read(msg, &gist);
    return fixers_find(fixers, &from, msg, &gist) != NULL;
}

/* One that is looked after, and another one that comes when it has gone: the quick no is of those that are left. */
static void
must_find_alone(struct span name, struct span other)
{
    struct fixer its = { .name = name, .fn = never_good },
                 others = { .name = other, .fn = never_good };
    struct msg with = message_of(name), without = message_of(other);
    struct fixers fixers;

    fixers_init(&fixers);
    ck_assert_int_eq(fixers_add(&fixers, &its), SIPD_OK);
    asked = 0;
    ck_assert(finds(&fixers, &with));
    ck_assert_uint_eq(asked, 1);
    ck_assert(!finds(&fixers, &without));
    ck_assert_uint_eq(asked, 1);
    ck_assert_int_eq(fixers_add(&fixers, &others), SIPD_OK);
    ck_assert(finds(&fixers, &without));
    fixers_remove(&fixers, &others);
    ck_assert(finds(&fixers, &with));
    ck_assert(!finds(&fixers, &without));
    fixers_remove(&fixers, &its);
    ck_assert(!finds(&fixers, &with));
}

START_TEST(each_by_its_name)
{
    for (unsigned id = HDR_OTHER + 1; id < HEADERS; id++)
        if (id != HDR_VIA && id != HDR_CONTENT_LENGTH)
            must_find_alone(names_header_text((enum header)id), SPAN("X-Unheard-Of"));
    must_find_alone(SPAN("X-Unheard-Of"), SPAN("X-Other"));
    must_find_alone(names_header_text((enum header)(HEADERS - 1)),
                    names_header_text((enum header)(HEADERS - 2)));
}
END_TEST

static enum sipd_fix
better_empty(struct sipd_field *field, void *self)
{
    (void)self;
    return field->value.len > 0 ? SIPD_FIX_VALUE : SIPD_FIX_NONE;
}

/* A value that says nothing may well be the better one: that it lies nowhere is no lack of memory. */
START_TEST(a_value_may_become_empty)
{
    struct fixer its = { .name = SPAN("X-Odd"), .fn = better_empty };

    ck_assert_int_eq(fixers_add(core_fixers(rig.core), &its), SIPD_OK);
    rig_bind(&rig, "bob", "sip:bob@192.0.2.9", NULL, 1000);
    rig_ask(&rig, ALICE, INVITE_BOB, "X-Odd: x", NULL);
    ck_assert_str_eq(rig_value(rig_expect(&rig, BOB, "INVITE "), "X-Odd", 0), "");
    fixers_remove(core_fixers(rig.core), &its);
}
END_TEST

Suite *
suite_fixer(void)
{
    Suite *s = suite_create("fixer");
    TCase *c = message_case("fixer"), *mended = rig_case("mended");

    tcase_add_test(c, each_by_its_name);
    suite_add_tcase(s, c);
    tcase_add_test(mended, a_value_may_become_empty);
    suite_add_tcase(s, mended);
    return s;
}
