/*
 * Floods: what one source and one user may send, whatever thousands of others do meanwhile, and in a table that never grows.
 */
#include "core/flood.h"

#include "core/state.h"
#include "unit/core_rig.h"

Suite *suite_flood(void);

enum { PLACES = 64, OTHERS = 10000, PER_S = 4, REGISTERS_PER_S = 2 };

static void
limit(void)
{
    rig.conf.flood = (struct flood_conf){ .per_s = PER_S,
                                          .register_per_s = REGISTERS_PER_S,
                                          .user_per_s = PER_S,
                                          .burst_s = 1,
                                          .places = PLACES };
    flood_resize(rig.core);
}

static bool
refuses(uint32_t source, enum method method)
{
    struct hop from = rig_hop("udp:192.0.2.1:5060");
    struct gist gist = { .method = method };

    memcpy(from.ip + 12, &source, sizeof source);
    return flood_refuses(rig.core, &from, &gist);
}

/* How many of `asked` at one time are let in. */
static unsigned
let_in(uint32_t source, enum method method, unsigned asked)
{
    unsigned n = 0;

    while (asked-- > 0)
        n += !refuses(source, method);
    return n;
}

START_TEST(a_source_has_its_share)
{
    limit();
    ck_assert_uint_eq(let_in(1, METHOD_OPTIONS, 100), PER_S);
    ck_assert_uint_eq(let_in(2, METHOD_OPTIONS, 100), PER_S);
    rig_pass(&rig, 500);
    ck_assert_uint_eq(let_in(1, METHOD_OPTIONS, 100), PER_S / 2);
    rig_pass(&rig, 60000);
    ck_assert_uint_eq(let_in(1, METHOD_OPTIONS, 100), PER_S); /* and not a minute's worth */
}
END_TEST

START_TEST(a_storm_of_registers_leaves_room)
{
    limit();
    ck_assert_uint_eq(let_in(1, METHOD_REGISTER, 100), REGISTERS_PER_S);
    ck_assert_uint_eq(let_in(1, METHOD_OPTIONS, 100), PER_S - REGISTERS_PER_S);
}
END_TEST

START_TEST(a_user_has_his_share_wherever_he_is)
{
    unsigned n = 0;

    limit();
    for (unsigned i = 0; i < 100; i++)
        n += !flood_refuses_user(rig.core, SPAN("alice"));
    ck_assert_uint_eq(n, PER_S);
    ck_assert(!flood_refuses_user(rig.core, SPAN("bob")));
}
END_TEST

/* Ten thousand sources in room for sixty-four: who floods is not forgotten for their sake, and none of them suffers. */
START_TEST(many_others)
{
    unsigned in = 0;

    limit();
    for (uint32_t other = 0; other < OTHERS; other++) {
        if (other % 10 == 0) {
            in += !refuses(UINT32_MAX, METHOD_OPTIONS);
            rig_pass(&rig, 1);
        }
        ck_assert(!refuses(other, METHOD_OPTIONS));
    }
    ck_assert_uint_ge(in, PER_S); /* a second has passed */
    ck_assert_uint_le(in, 2 * PER_S + 1);
    ck_assert_uint_eq(rig.core->flood.places, PLACES);
}
END_TEST

START_TEST(without_limits_there_is_no_table)
{
    limit();
    rig.conf.flood = (struct flood_conf){ .places = PLACES };
    flood_resize(rig.core);
    ck_assert_ptr_null(rig.core->flood.at);
    ck_assert_uint_eq(let_in(1, METHOD_REGISTER, 100), 100);
}
END_TEST

Suite *
suite_flood(void)
{
    Suite *suite = suite_create("flood");
    TCase *c = rig_case("flood");

    tcase_add_test(c, a_source_has_its_share);
    tcase_add_test(c, a_storm_of_registers_leaves_room);
    tcase_add_test(c, a_user_has_his_share_wherever_he_is);
    tcase_add_test(c, many_others);
    tcase_add_test(c, without_limits_there_is_no_table);
    suite_add_tcase(suite, c);
    return suite;
}
