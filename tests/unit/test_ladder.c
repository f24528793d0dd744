/*
 * The ladder: events in, a picture out.
 */
#include "sipctl/ladder.h"

#include <stdlib.h>
#include <time.h>

#include "sipctl/text.h"
#include "unit/heap.h"
#include "unit/text.h"

/* ---- a rig: events as sipd writes them, at a time of the test's own */

struct rig {
    struct ladder ladder;
    struct buf out;
    uint64_t at_ms;
};

static struct rig *
rig_wide(size_t width, bool numbered)
{
    static struct rig rig;
    struct screen screen = { .width = width };

    setenv("TZ", "UTC", 1);
    tzset();
    rig.at_ms = 12 * 3600000 + 34 * 60000 + 56789;
    ladder_init(&rig.ladder, &screen, numbered);
    buf_fini(&rig.out);
    buf_init(&rig.out, 1 << 20);
    return &rig;
}

static void
take(struct rig *rig, json_t *json)
{
    struct event event;

    ck_assert_ptr_nonnull(json);
    must(event_read(json, &event));
    ladder_write(&rig->ladder, &event, &rig->out);
    json_decref(json);
}

static void
message(struct rig *rig, const char *step, const char *peer, const char *line, const char *cseq)
{
    take(rig,
         json_pack("{s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "seq", 1, "at_us",
                   (json_int_t)rig->at_ms * 1000, "call_id", "a@b", "step", step, "transport",
                   "udp", "local", "127.0.0.1:5060", "peer", peer, "line", line, "cseq", cseq));
}

static void
decide(struct rig *rig, const char *words)
{
    take(rig,
         json_pack("{s:i, s:I, s:s, s:s, s:s}", "seq", 1, "at_us", (json_int_t)rig->at_ms * 1000,
                   "call_id", "a@b", "step", "check", "words", words));
}

#define ALICE "127.0.0.1:5070"
#define BOB   "127.0.0.1:5080"
#define CAROL "127.0.0.1:5090"

/* ---- what the picture is compared with */

static void
must_show(struct rig *rig, const char *picture)
{
    if (!span_eq(buf_span(&rig->out), span_of(picture)))
        ck_abort_msg("wanted:\n%sgot:\n%.*s", picture, SPAN_ARG(buf_span(&rig->out)));
    buf_fini(&rig->out);
}

/* No line is wider than the screen, none ends in a blank, and nothing is a command to a terminal. */
static void
must_be_plain(const struct rig *rig, size_t width)
{
    struct span rest = buf_span(&rig->out);

    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        struct buf shown;

        must_for(line, text_places(line) <= width);
        must_for(line, line.len == 0 || line.at[line.len - 1] != ' ');
        buf_init(&shown, 1 << 16);
        text_put(&shown, line);
        must_for(line, span_eq(buf_span(&shown), line));
        buf_fini(&shown);
    }
}

static void
a_call(struct rig *rig)
{
    message(rig, "heard", ALICE, "INVITE sip:bob@example.com SIP/2.0", "1 INVITE");
    decide(rig, "The sender must prove who it is.");
    message(rig, "sent", ALICE, "SIP/2.0 407 Proxy Authentication Required", "1 INVITE");
    message(rig, "heard", ALICE, "ACK sip:bob@example.com SIP/2.0", "1 ACK");
    rig->at_ms += 20;
    message(rig, "heard", ALICE, "INVITE sip:bob@example.com SIP/2.0", "2 INVITE");
    decide(rig, "Two places are known where bob is, and both are equally good: so they ring "
                "together, and who answers first has the call.");
    message(rig, "sent", BOB, "INVITE sip:bob@127.0.0.1:5080 SIP/2.0", "2 INVITE");
    message(rig, "sent", CAROL, "INVITE sip:bob@127.0.0.1:5090 SIP/2.0", "2 INVITE");
    message(rig, "heard", CAROL, "SIP/2.0 180 Ringing", "2 INVITE");
    message(rig, "sent", ALICE, "SIP/2.0 180 Ringing", "2 INVITE");
    message(rig, "sent", BOB, "CANCEL sip:bob@127.0.0.1:5080 SIP/2.0", "2 CANCEL");
    message(rig, "heard", BOB, "SIP/2.0 200 OK", "2 CANCEL");
}

/* ---- pictures */

START_TEST(peers_get_lanes_as_they_come)
{
    struct rig *rig = rig_wide(100, false);

    a_call(rig);
    must_be_plain(rig, 100);
    must_show(
        rig,
        "              127.0.0.1:5070                     sipd\n"
        "                    udp                            |\n"
        "12:34:56.789         |-- INVITE bob@example.com -->|\n"
        "                     |                             | The sender must prove who it is.\n"
        "12:34:56.789         |<- 407 Proxy Authenticati.. -|\n"
        "12:34:56.789         |-- ACK sip:bob@example.com ->|\n"
        "12:34:56.809         |-- INVITE bob@example.com -->|\n"
        "                     |                             | Two places are known where bob is, "
        "and both are\n"
        "                     |                             | equally good: so they ring together, "
        "and who\n"
        "                     |                             | answers first has the call.\n"
        "\n"
        "              127.0.0.1:5070                     sipd                     127.0.0.1:5080\n"
        "                    udp                            |                            udp\n"
        "12:34:56.809         |                             |-------- INVITE bob -------->|\n"
        "\n"
        "              127.0.0.1:5070              sipd              127.0.0.1:5080         "
        "127.0.0.1:5090\n"
        "                    udp                     |                     udp                    "
        "udp\n"
        "12:34:56.809         |                      |------- INVITE sip:bob@127.0.0.1:5090 "
        "------>|\n"
        "12:34:56.809         |                      |<--------------- 180 Ringing "
        "----------------|\n"
        "12:34:56.809         |<---- 180 Ringing ----|                      |                      "
        "|\n"
        "12:34:56.809         |                      |----- CANCEL bob ---->|                      "
        "|\n"
        "12:34:56.809         |                      |<-- 200 OK (CANCEL) --|                      "
        "|\n");
}
END_TEST

START_TEST(those_who_are_expected_have_their_lanes_at_once)
{
    static const char *const peers[] = { BOB, CAROL };
    struct rig *rig = rig_wide(80, false);

    for (size_t i = 0; i < countof(peers); i++) {
        json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "step", "sent", "peer", peers[i], "line",
                                 "OPTIONS sip:a SIP/2.0", "transport", "udp");
        struct event event;

        must(event_read(json, &event));
        ladder_expect(&rig->ladder, &event);
        json_decref(json);
    }
    must_show(rig, "");
    message(rig, "sent", CAROL, "OPTIONS sip:a SIP/2.0", "1 OPTIONS");
    message(rig, "sent", BOB, "OPTIONS sip:b SIP/2.0", "1 OPTIONS");
    must_show(rig,
              "                   sipd                127.0.0.1:5080           127.0.0.1:5090\n"
              "                     |                       udp                      udp\n"
              "12:34:56.789         |----------------- OPTIONS sip:a ---------------->|\n"
              "12:34:56.789         |---- OPTIONS sip:b ---->|                        |\n");
}
END_TEST

START_TEST(names_that_stand_close_take_two_lines)
{
    struct rig *rig = rig_wide(72, false);

    message(rig, "heard", "[2001:db8::17]:5060", "BYE sip:a SIP/2.0", "1 BYE");
    message(rig, "sent", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:5062", "BYE sip:a SIP/2.0",
            "1 BYE");
    message(rig, "sent", "[2001:db8::18]:5061", "BYE sip:a SIP/2.0", "1 BYE");
    must_be_plain(rig, 72);
    must_show(rig, "             [2001:db8::17]:5060                 sipd\n"
                   "                    udp                            |\n"
                   "12:34:56.789         |--------- BYE sip:a -------->|\n"
                   "\n"
                   "             [2001:db8::17]:5060            ~b:cccc:dddd:eeee:ffff]:5062\n"
                   "                     |                  sipd                   |\n"
                   "                    udp                   |                   udp\n"
                   "12:34:56.789         |                    |---- BYE sip:a ---->|\n"
                   "\n"
                   "             [2001:db8::17]:5060    ~cccc:dddd:eeee:ffff]:5062\n"
                   "                     |           sipd            |   [2001:db8::18]:5061\n"
                   "                    udp            |            udp           udp\n"
                   "12:34:56.789         |             |-------- BYE sip:a ------->|\n");
}
END_TEST

START_TEST(several_calls_are_told_from_each_other)
{
    struct rig *rig = rig_wide(72, true);

    for (int i = 0; i < 4; i++) {
        take(rig, json_pack("{s:i, s:I, s:s, s:s, s:s}", "seq", i, "at_us", (json_int_t)i * 1000000,
                            "call_id", i % 2 == 0 ? "even" : "odd", "step", "check", "words",
                            "It is well."));
    }
    must_show(rig, "             #1   Call-ID even\n"
                   "00:00:00.000 #1     It is well.\n"
                   "             #2   Call-ID odd\n"
                   "00:00:01.000 #2     It is well.\n"
                   "00:00:02.000 #1     It is well.\n"
                   "00:00:03.000 #2     It is well.\n");
}
END_TEST

START_TEST(a_call_that_was_long_silent_is_another)
{
    struct rig *rig = rig_wide(72, true);

    for (int i = 0; i <= LADDER_CALLS; i++) {
        char id[32];

        snprintf(id, sizeof id, "call %d", i);
        take(rig, json_pack("{s:s, s:s, s:s}", "call_id", id, "step", "check", "words", "."));
    }
    buf_clear(&rig->out);
    take(rig, json_pack("{s:s, s:s, s:s}", "call_id", "call 0", "step", "check", "words", "."));
    must_show(rig, "             #66  Call-ID call 0\n"
                   "             #66    .\n");
}
END_TEST

START_TEST(where_there_is_no_room_for_lanes_messages_are_words)
{
    struct rig *rig = rig_wide(40, false);

    message(rig, "heard", ALICE, "INVITE sip:bob@example.com SIP/2.0", "1 INVITE");
    decide(rig, "Nobody knows where bob is.");
    message(rig, "sent", ALICE, "SIP/2.0 480 Temporarily Unavailable", "1 INVITE");
    must_be_plain(rig, 40);
    must_show(rig, "12:34:56.789 from 127.0.0.1:5070: INVITE\n"
                   "               Nobody knows where bob\n"
                   "               is.\n"
                   "12:34:56.789 to 127.0.0.1:5070: 480 Temp\n");
}
END_TEST

START_TEST(lines_are_drawn_where_they_can_be)
{
    struct rig *rig = rig_wide(60, false);

    rig->ladder.screen.utf8 = true;
    message(rig, "heard", ALICE, "INVITE sip:bob@example.com SIP/2.0", "1 INVITE");
    message(rig, "sent", ALICE, "SIP/2.0 407 Proxy Authentication Required", "1 INVITE");
    must_be_plain(rig, 60);
    must_show(rig, "              127.0.0.1:5070                     sipd\n"
                   "                    udp                            │\n"
                   "12:34:56.789         │── INVITE bob@example.com ──▶│\n"
                   "12:34:56.789         │◀─ 407 Proxy Authenticatio… ─│\n");
}
END_TEST

START_TEST(a_new_screenful_has_its_head)
{
    struct rig *rig = rig_wide(60, false);
    unsigned heads = 0;

    rig->ladder.screen.rows = 20;
    for (int i = 0; i < 60; i++)
        message(rig, "heard", ALICE, "BYE sip:b SIP/2.0", "1 BYE");
    for (struct span rest = buf_span(&rig->out); rest.len > 0; span_cut(&rest, '\n'))
        heads += span_starts(span_trim(span_head(rest, span_find(rest, '\n'))), SPAN(ALICE));
    ck_assert_uint_eq(heads, 5);
    buf_fini(&rig->out);
}
END_TEST

START_TEST(another_width_is_another_picture)
{
    struct rig *rig = rig_wide(60, false);
    struct screen screen = { .width = 50 };

    message(rig, "heard", ALICE, "BYE sip:b SIP/2.0", "1 BYE");
    buf_clear(&rig->out);
    ladder_fit(&rig->ladder, &screen);
    message(rig, "heard", ALICE, "BYE sip:b SIP/2.0", "1 BYE");
    must_be_plain(rig, 50);
    must_show(rig, "\n"
                   "              127.0.0.1:5070           sipd\n"
                   "                    udp                  |\n"
                   "12:34:56.789         |---- BYE sip:b --->|\n");
}
END_TEST

START_TEST(branches_are_told_from_each_other)
{
    struct rig *rig = rig_wide(60, false);

    take(rig, json_pack("{s:s, s:i, s:s}", "step", "done", "branch", 1, "words", "ends with 487"));
    must_show(rig, "00:00:00.000   branch 2: ends with 487\n");
}
END_TEST

START_TEST(it_says_what_concerns_itself)
{
    struct rig *rig = rig_wide(40, false);

    ladder_say(&rig->ladder, 0, "12 events are lost here: more happened than sipd keeps",
               &rig->out);
    must_show(rig, "-- 12 events are lost here: more\n-- happened than sipd keeps\n");
    rig = rig_wide(40, false);
    ladder_say(&rig->ladder, 1000, "sipd went away; waiting for it", &rig->out);
    must_show(rig, "00:00:00.001 -- sipd went away; waiting\n             -- for it\n");
}
END_TEST

START_TEST(a_crowd_does_not_take_the_lanes_of_those_who_talk)
{
    struct rig *rig = rig_wide(72, false); /* three peers fit */
    const char *talk = "BYE sip:b SIP/2.0";

    message(rig, "heard", ALICE, talk, "1 BYE");
    message(rig, "heard", BOB, talk, "1 BYE");
    message(rig, "sent", CAROL, talk, "1 BYE");
    buf_clear(&rig->out);
    message(rig, "heard", "127.0.0.1:6000", talk, "1 BYE");
    must_be_plain(rig, 72);
    must_show(rig, "12:34:56.789   from 127.0.0.1:6000: BYE sip:b\n");
    for (int i = 0; i < LANES_SILENT; i++)
        message(rig, "heard", i % 2 == 0 ? ALICE : CAROL, talk, "1 BYE");
    buf_clear(&rig->out);
    message(rig, "heard", "127.0.0.1:6000", talk, "1 BYE");
    must_be_plain(rig, 72);
    must_show(rig, "\n"
                   "              127.0.0.1:5070                   sipd\n"
                   "                     |      127.0.0.1:6000       |      127.0.0.1:5090\n"
                   "                    udp           udp            |            udp\n"
                   "12:34:56.789         |             |--- BYE b -->|             |\n");
}
END_TEST

/* ---- colour is beside the picture, never in it */

START_TEST(without_its_colours_it_is_the_same_picture)
{
    struct rig *rig = rig_wide(100, true);
    struct buf plain, bare;

    a_call(rig);
    plain = rig->out;
    buf_init(&rig->out, 1 << 20);
    rig = rig_wide(100, true);
    rig->ladder.screen.colour = true;
    a_call(rig);
    buf_init(&bare, 1 << 20);
    for (struct span rest = buf_span(&rig->out); rest.len > 0;) {
        if (rest.at[0] == '\033')
            span_cut(&rest, 'm');
        else
            buf_put(&bare, span_head(rest, 1)), rest = span_skip(rest, 1);
    }
    must(bare.len < rig->out.len && span_eq(buf_span(&bare), buf_span(&plain)));
    buf_fini(&plain);
    buf_fini(&bare);
    buf_fini(&rig->out);
}
END_TEST

/* ---- what a peer writes */

static const char *const evil[] = {
    "\033[2J\033]0;mine\007",
    "\xc2\x9b"
    "2J",
    "\x7f\b\r\n",
    "\xe2\x80\xae"
    "desrever",
    "a\xcc\x81\xcc\x81",
    "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97",
    "%s%n",
    "",
};

START_TEST(nothing_that_a_peer_writes_is_a_command_to_the_terminal)
{
    const char *word = evil[_i];
    char line[256], cseq[128];

    for (size_t width = 20; width < 160; width++) {
        struct rig *rig = rig_wide(width, true);

        snprintf(line, sizeof line, "INV%sITE sip:%s@%s SIP/2.0", word, word, word);
        snprintf(cseq, sizeof cseq, "1 INV%sITE", word);
        message(rig, "heard", word[0] ? word : ALICE, line, cseq);
        message(rig, "sent", BOB, line, cseq);
        decide(rig, line);
        snprintf(line, sizeof line, "SIP/2.0 200 %s OK %s", word, word);
        message(rig, "heard", BOB, line, cseq);
        take(rig, json_pack("{s:s, s:s, s:s}", "call_id", line, "step", line, "words", word));
        must_be_plain(rig, width);
        buf_fini(&rig->out);
    }
}
END_TEST

START_TEST(secrets_are_masked_whatever_is_left_of_a_line)
{
    for (size_t width = 20; width < 200; width++) {
        struct rig *rig = rig_wide(width, false);

        message(rig, "heard", ALICE, "INVITE sip:bob:builder@example.com SIP/2.0", "1 INVITE");
        message(rig, "sent", BOB, "INVITE sip:bob:builder@127.0.0.1 SIP/2.0", "1 INVITE");
        decide(rig, "Digest username=\"bob\", response=\"builder\", a=crypto:1 AES inline:builder");
        must(memmem(rig->out.bytes, rig->out.len, "builder", 7) == NULL);
        buf_fini(&rig->out);
    }
}
END_TEST

START_TEST(any_crowd_fits_any_screen)
{
    unsigned seed = 1;

    for (size_t width = 20; width < 600; width += 17) {
        struct rig *rig = rig_wide(width, width % 2 == 0);

        for (int i = 0; i < 200; i++) {
            char peer[64];
            unsigned dice = seed = seed * 1103515245U + 12345;

            snprintf(peer, sizeof peer, "[2001:db8::%x]:%u", dice >> 20 & 0x3f, dice >> 16 & 3);
            message(rig, dice & 0x1000 ? "heard" : "sent", peer,
                    dice & 0x2000 ? "SIP/2.0 200 OK" : "BYE sip:bob@example.com SIP/2.0", "1 BYE");
            if (dice & 0x4000)
                decide(rig, "It is sent where the Route of its dialog says, and to nobody else.");
        }
        must_be_plain(rig, width < CANVAS_WIDTH ? width : CANVAS_WIDTH);
        buf_fini(&rig->out);
    }
}
END_TEST

START_TEST(memory_out_is_survived)
{
    for (uint64_t n = 0; n < 60; n++) {
        struct rig *rig = rig_wide(80, true);

        mem_fail_after(n);
        a_call(rig);
        mem_fail_never();
        buf_fini(&rig->out);
    }
}
END_TEST

Suite *
suite_ladder(void)
{
    Suite *suite = suite_create("ladder");
    TCase *all = heap_case("all");

    tcase_add_test(all, peers_get_lanes_as_they_come);
    tcase_add_test(all, those_who_are_expected_have_their_lanes_at_once);
    tcase_add_test(all, names_that_stand_close_take_two_lines);
    tcase_add_test(all, several_calls_are_told_from_each_other);
    tcase_add_test(all, a_call_that_was_long_silent_is_another);
    tcase_add_test(all, where_there_is_no_room_for_lanes_messages_are_words);
    tcase_add_test(all, lines_are_drawn_where_they_can_be);
    tcase_add_test(all, a_new_screenful_has_its_head);
    tcase_add_test(all, another_width_is_another_picture);
    tcase_add_test(all, branches_are_told_from_each_other);
    tcase_add_test(all, it_says_what_concerns_itself);
    tcase_add_test(all, a_crowd_does_not_take_the_lanes_of_those_who_talk);
    tcase_add_test(all, without_its_colours_it_is_the_same_picture);
    tcase_add_loop_test(all, nothing_that_a_peer_writes_is_a_command_to_the_terminal, 0,
                        (int)countof(evil));
    tcase_add_test(all, secrets_are_masked_whatever_is_left_of_a_line);
    tcase_add_test(all, any_crowd_fits_any_screen);
    tcase_add_test(all, memory_out_is_survived);
    suite_add_tcase(suite, all);
    return suite;
}
