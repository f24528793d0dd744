/*
 * The auth module: what is wrong about its settings is said in words.
 */
#include "sim/auth_rig.h"

#include <stdio.h>

Suite *suite_auth_settings(void);

static void
must_not_start(const char *settings, const char *words)
{
    auth_rig_try(settings);
    buf_put_char(&auth_rig.world.fault, '\0');
    ck_assert_ptr_nonnull(auth_rig.world.fault.bytes);
    ck_assert_msg(strstr(auth_rig.world.fault.bytes, words), "want \"%s\" in \"%s\"", words,
                  auth_rig.world.fault.bytes);
}

static const char *const wrong_settings[][2] = {
    { "trusted = [ \"10.0.0.0/40\" ];", "\"10.0.0.0/40\" needs a prefix length from 0 to 32" },
    { "trusted = [ \"gateway\" ];", "\"gateway\" is not an address or a network" },
    { "trusted = [ \"10.0.0.1/8\" ];", "write the network" },
    { "algorithms = [ \"SHA-1\" ];", "\"SHA-1\" is not one of" },
    { "challenge = [ \"ACK\" ];", "ACK cannot be challenged" },
    { "challenge = [ \"invite\" ];", "words in capitals" },
    { "realm = \"a\\\"b\";", "quotes" },
    { "nonce_s = 5;", "nonce_s" },
    { "aliases = ( { user = \"alice\"; as = [ \"a@b\" ]; } );", "\"alice\" is not written as" },
    { "aliases = ( { user = \"a@b\"; as = [ \"sales\" ]; } );", "\"sales\" is not written as" },
};

START_TEST(wrong_settings_are_named)
{
    must_not_start(wrong_settings[_i][0], wrong_settings[_i][1]);
}
END_TEST

Suite *
suite_auth_settings(void)
{
    Suite *suite = suite_create("auth_settings");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, auth_rig_begin, auth_rig_end);
    tcase_add_loop_test(all, wrong_settings_are_named, 0, countof(wrong_settings));
    suite_add_tcase(suite, all);
    return suite;
}
