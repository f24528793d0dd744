/*
 * Certificates, trust and listeners that change under connections, and the warnings before they end.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/tls_rig.h"

Suite *suite_tls_reload(void);

static bool
shows(const char *name)
{
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer p;
    char shown[64];
    bool same;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    same = strcmp(tls_shown_name(&p, shown), name) == 0;
    tls_peer_close(&p);
    return same;
}

START_TEST(certificates_change_under_a_connection)
{
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer p;
    struct proc out;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    ck_assert(tls_is_served(&p));
    /* One without the other: refused, and all stays. */
    certs_copy("later.pem", "own.pem", "644");
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is not the key of"));
    ck_assert(shows("server"));
    ck_assert(tls_is_served(&p));
    /* A key for everybody to read. */
    certs_copy("later.key", "own.key", "644");
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 1);
    ck_assert_ptr_nonnull(strstr(proc_output(&out), "is open to others (mode 644)"));
    ck_assert(shows("server"));
    certs_copy("later.key", "own.key", "600");
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
    ck_assert(shows("later"));
    ck_assert(tls_is_served(&p));
    tls_peer_close(&p);
}
END_TEST

/* It is taken, for an old certificate is better than none, but not in silence. */
START_TEST(the_end_of_a_certificate_is_warned_of)
{
    struct proc out;

    ck_assert_uint_eq(tls_counter("tls_expiring"), 0);
    certs_copy("expired.pem", "own.pem", "644");
    certs_copy("expired.key", "own.key", "600");
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
    tls_must_log("certificate-expired");
    ck_assert_uint_eq(tls_counter("tls_expiring"), 1);
}
END_TEST

static void
use_crl(const char *file)
{
    struct proc out;

    certs_copy(file, "own.crl", "644");
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
}

/* One that has ended refuses all whom its issuer certified, so it is told before. */
START_TEST(the_end_of_a_revocation_list_is_warned_of)
{
    struct tls_wish wish = { .cert = "client" };

    ck_assert(tls_connects(&wish));
    ck_assert_uint_eq(tls_counter("tls_crls_expiring"), 0);
    use_crl("soon.crl");
    tls_must_log("crl-expires");
    ck_assert_uint_eq(tls_counter("tls_crls_expiring"), 1);
    ck_assert(tls_connects(&wish));
    use_crl("old.crl");
    tls_must_log("crl-expired");
    ck_assert_uint_eq(tls_counter("tls_crls_expiring"), 1);
    ck_assert(!tls_connects(&wish));
    tls_must_log("why=bad-crl");
    use_crl("ca.crl");
    ck_assert_uint_eq(tls_counter("tls_crls_expiring"), 0);
    ck_assert(tls_connects(&wish));
}
END_TEST

static bool
is_fine(struct proc *out)
{
    const char *dir = getenv("SIPD_BUILD");
    char sipd[256], modules[256];
    const char *argv[] = { sipd, "-f", tls_server.conf, "-M", modules, "-t", NULL };

    snprintf(sipd, sizeof sipd, "%s/sipd", dir ? dir : "build");
    snprintf(modules, sizeof modules, "%s/modules", dir ? dir : "build");
    return proc_run(out, "check", PROC_PATIENCE_MS, argv);
}

START_TEST(a_check_finds_what_a_start_would)
{
    struct proc out;

    ck_assert(is_fine(&out));
    certs_copy("server.key", "own.key", "644");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), "is open to others (mode 644)") != NULL, "%s",
                  proc_output(&out));
    certs_copy("later.key", "own.key", "600");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), "is not the key of") != NULL, "%s", proc_output(&out));
    certs_copy("server.key", "own.pem", "600");
    ck_assert(!is_fine(&out));
    ck_assert_msg(strstr(proc_output(&out), ": tls.certificates[0].certificate: ") != NULL, "%s",
                  proc_output(&out));
}
END_TEST

/* What is spoken goes on while certificates are read anew, again and again. */
START_TEST(many_reloads_lose_no_connection)
{
    enum { PEERS = 5, RELOADS = 20 };
    struct tls_wish wish = { .cert = NULL };
    struct tls_peer peers[PEERS];
    struct proc out;

    for (int i = 0; i < PEERS; i++)
        ck_assert(tls_peer_connect(&peers[i], "127.0.0.1", tls_port, &wish));
    for (int round = 0; round < RELOADS; round++) {
        ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 0);
        for (int i = 0; i < PEERS; i++)
            ck_assert(tls_is_served(&peers[i]));
    }
    for (int i = 0; i < PEERS; i++)
        tls_peer_close(&peers[i]);
}
END_TEST

START_TEST(a_transport_does_not_go_from_under_its_connections)
{
    struct tls_wish wish = { .cert = NULL };
    char command[1024];
    const char *argv[] = { "sh", "-c", command, NULL };
    struct tls_peer p;
    struct proc out;

    ck_assert(tls_peer_connect(&p, "127.0.0.1", tls_port, &wish));
    ck_assert(tls_is_served(&p));
    snprintf(command, sizeof command,
             "sed -i -z -e 's/,[ \\n]*{ transport = \"tls\";[^}]*}//g' -e 's/modules = "
             "[^\\n]*/modules = [ ];/' "
             "-e 's/\\ntls = .*//' %s",
             tls_server.conf);
    ck_assert(proc_run(&out, "sed", PROC_PATIENCE_MS, argv));
    ck_assert_int_eq(server_ctl(&tls_server, &out, "reload", NULL), 1);
    ck_assert_msg(strstr(proc_output(&out), "1 connections stand on it") != NULL, "%s",
                  proc_output(&out));
    ck_assert(tls_is_served(&p));
    tls_peer_close(&p);
    for (uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;
         server_ctl(&tls_server, &out, "reload", NULL) != 0; proc_pause(50))
        ck_assert_msg(proc_now_ms() < until, "%s", proc_output(&out));
}
END_TEST

Suite *
suite_tls_reload(void)
{
    Suite *suite = suite_create("tls_reload");
    TCase *c = tcase_create("reload");

    tcase_set_timeout(c, 60);
    tcase_add_unchecked_fixture(c, certs_make, NULL);
    tcase_add_checked_fixture(c, tls_start_optional, tls_stop);
    tcase_add_test(c, certificates_change_under_a_connection);
    tcase_add_test(c, the_end_of_a_certificate_is_warned_of);
    tcase_add_test(c, the_end_of_a_revocation_list_is_warned_of);
    tcase_add_test(c, a_check_finds_what_a_start_would);
    tcase_add_test(c, many_reloads_lose_no_connection);
    tcase_add_test(c, a_transport_does_not_go_from_under_its_connections);
    suite_add_tcase(suite, c);
    return suite;
}
