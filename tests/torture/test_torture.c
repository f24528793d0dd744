/*
 * Every message of the collections is framed, read, understood and edited, and held to its verdict in expect.json as far
 * as reading alone can tell (RFC 4475; tests/torture/README).
 */
#include <check.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/def.h"
#include "base/err.h"
#include "scan/scan.h"
#include "sip/draft.h"
#include "sip/frame.h"
#include "sip/gist.h"
#include "sip/repair.h"

/*
 * Messages whose verdict needs more than reading: they pass here and are refused by a floor above. Whoever makes reading
 * refuse them takes them off this list.
 */
static const struct {
    const char *file, *reason;
} later[] = {
    { "unksm2.dat", "which schemes an address of record may have is the registrar's to say" },
    { "27-contact-empty-host.sip", "only the registrar reads Contact" },
    { "35-contact-comma-inside-brackets.sip", "only the registrar reads Contact" },
};

enum outcome {
    SILENT, /* filler, no SIP, a response that is dropped, a request that cannot be answered */
    FAULT,  /* answered with a status of ours */
    PASSED, /* goes on to the floors above */
};

struct result {
    enum outcome outcome;
    unsigned status;
    const char *reason;
    uint64_t odd; /* deviations, as it came */
};

/* ---------------------------------------------------------------- the collections */

struct collection {
    const char *folder;
    json_t *root, *messages;
};

static struct collection rfc4475 = { .folder = "tests/torture/rfc4475" };
static struct collection wild = { .folder = "tests/torture/wild" };
static struct collection rfc5118 = { .folder = "tests/torture/rfc5118" };
static struct collection made = { .folder = "tests/torture/made" };
static struct collection *const collections[] = { &rfc4475, &wild, &rfc5118, &made };

static void
load(struct collection *c)
{
    char path[256];
    json_error_t error;

    snprintf(path, sizeof path, "%s/expect.json", c->folder);
    c->root = json_load_file(path, 0, &error);
    if (!c->root)
        fprintf(stderr, "%s:%d: %s (run from the top folder)\n", path, error.line, error.text);
    c->messages = json_object_get(c->root, "messages");
}

static void
load_all(void)
{
    for (size_t i = 0; i < countof(collections); i++)
        load(collections[i]);
}

static void
unload_all(void)
{
    for (size_t i = 0; i < countof(collections); i++)
        json_decref(collections[i]->root);
}

static const char *
text_of(const json_t *message, const char *key)
{
    const char *text = json_string_value(json_object_get(message, key));

    ck_assert_ptr_nonnull(text);
    return text;
}

/* The wire bytes in a block without a byte to spare. */
static struct span
bytes_of(const struct collection *c, const json_t *message)
{
    char path[256];
    FILE *file;
    char *bytes;
    long len;

    snprintf(path, sizeof path, "%s/%s", c->folder, text_of(message, "file"));
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    rewind(file);
    bytes = malloc((size_t)len);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)len, file), (size_t)len);
    fclose(file);
    return (struct span){ bytes, (size_t)len };
}

/* ---------------------------------------------------------------- what becomes of a message */

/* What a proxy does to what it forwards can be done, and can be read again. */
static void
check_edits(const struct msg *msg, const struct gist *gist, struct arena *arena)
{
    bool has_hops = !gist->has_max_forwards || gist->max_forwards > 0;
    struct draft d;
    struct span out;
    struct msg again;
    struct gist read_again;

    draft_init(&d, msg, arena);
    ck_assert_int_eq(draft_render(&d, arena, &out), SIPD_OK);
    ck_assert(span_eq(out, msg_bytes(msg)));
    if (msg_is_request(msg)) {
        draft_stamp_via(&d, gist, SPAN("192.0.2.1"), 5060);
        draft_push_via(&d, gist, SPAN("SIP/2.0/UDP proxy.example.com;branch=z9hG4bKtorture"));
        draft_push_record_route(&d, SPAN("<sip:proxy.example.com;lr>"));
        draft_set_uri(&d, SPAN("sip:elsewhere@192.0.2.2"));
        if (has_hops)
            draft_lower_max_forwards(&d, gist);
    } else {
        draft_pop_via(&d, gist);
    }
    ck_assert_int_eq(draft_render(&d, arena, &out), SIPD_OK);
    ck_assert_int_eq(msg_read(out, arena, &again), SIPD_OK);
    ck_assert(span_eq(msg_body(&again), msg_body(msg)));
    gist_read(&again, &read_again);
    if (msg_is_request(msg))
        ck_assert_uint_eq(read_again.fault, 0);
    ck_assert(span_eq(read_again.call_id, gist->call_id));
}

/* As the rules have it by default. */
static void
repair_message(struct msg *msg, struct gist *gist, struct arena *arena)
{
    struct repair_policy policy;
    struct repair_done done;
    struct arena work;

    repair_policy_default(&policy);
    arena_init(&work, 16 << 20);
    ck_assert_int_eq(repair(&policy, NULL, NULL, &work, arena, msg, gist, &done), SIPD_OK);
    arena_fini(&work);
}

static struct result
read_message(struct span bytes, struct arena *arena)
{
    struct result result = { .outcome = SILENT };
    struct frame frame;
    struct msg msg;
    struct gist gist;

    frame_datagram(bytes, &frame);
    if (frame.kind != FRAME_MESSAGE ||
        msg_read(span_head(span_skip(bytes, frame.skip), frame.len), arena, &msg))
        return result;
    msg_trim(&msg);
    gist_read(&msg, &gist);
    result.odd = gist.odd;
    if (!gist.fault && gist.odd)
        repair_message(&msg, &gist, arena);
    if (!gist.fault) {
        check_edits(&msg, &gist, arena);
        result.outcome = PASSED;
    } else if (msg_is_request(&msg) && gist.answerable) {
        result.outcome = FAULT;
        result.status = gist.fault;
        result.reason = gist.fault_reason;
    }
    return result;
}

/* ---------------------------------------------------------------- verdicts */

/* A status or its class. */
static bool
names_status(const char *word, unsigned status)
{
    char text[16];

    snprintf(text, sizeof text, "%u", status);
    return strcmp(word, text) == 0 || (word[0] == text[0] && strcmp(word + 1, "xx") == 0);
}

/* Is this outcome one that the floors above make of a message that could be read? */
static bool
needs_reading(const char *word)
{
    static const char *const refusals[] = { "400", "4xx", "505", "none" };

    for (size_t i = 0; i < countof(refusals); i++)
        if (strcmp(word, refusals[i]) == 0)
            return false;
    return true;
}

static bool
is_fine(const json_t *message, const struct result *result)
{
    const json_t *ok = json_object_get(message, "ok");

    if (result->outcome == PASSED && strcmp(text_of(message, "kind"), "response") == 0)
        return json_is_true(json_object_get(message, "valid")); /* some are dropped later */
    for (size_t i = 0; i < json_array_size(ok); i++) {
        const char *word = json_string_value(json_array_get(ok, i));

        if (strcmp(word, "any") == 0 || (result->outcome == SILENT && strcmp(word, "none") == 0))
            return true;
        if (result->outcome == PASSED
                ? needs_reading(word)
                : result->outcome == FAULT && names_status(word, result->status))
            return true;
    }
    return false;
}

/* `odd` in expect.json: which deviations it has, these and no others. */
static bool
is_odd_as_told(const json_t *message, uint64_t odd)
{
    const json_t *told = json_object_get(message, "odd");
    size_t found = 0;

    if (!told)
        return true;
    for (int id = 0; id < DEVIATIONS; id++)
        for (size_t i = 0; i < json_array_size(told); i++)
            if (strcmp(json_string_value(json_array_get(told, i)),
                       deviation_info((enum deviation)id)->name) == 0) {
                odd ^= deviation_bit((enum deviation)id);
                found++;
            }
    return odd == 0 && found == json_array_size(told);
}

/* `phrase`: the words that it is refused with. */
static bool
is_phrase_as_told(const json_t *message, const struct result *result)
{
    const char *phrase = json_string_value(json_object_get(message, "phrase"));

    return !phrase || (result->reason && strcmp(phrase, result->reason) == 0);
}

/* The reason why this message's verdict is spoken above, or NULL: `above` in expect.json, or in the list. */
static const char *
later_reason(const json_t *message, const char *file)
{
    const char *above = json_string_value(json_object_get(message, "above"));

    if (above)
        return above;
    for (size_t i = 0; i < countof(later); i++)
        if (strcmp(later[i].file, file) == 0)
            return later[i].reason;
    return NULL;
}

static void
judge_with(const struct collection *c, size_t n, const char *scanner)
{
    const json_t *message = json_array_get(c->messages, n);
    const char *file = text_of(message, "file"), *reason = later_reason(message, file);
    struct span bytes = bytes_of(c, message);
    struct result result;
    struct arena arena;
    bool fine;

    ck_assert(scan_choose(span_of(scanner)));
    arena_init(&arena, 4 << 20);
    result = read_message(bytes, &arena);
    arena_fini(&arena);
    free((char *)(uintptr_t)bytes.at);
    fine = is_fine(message, &result);
    if (!fine && !reason)
        ck_abort_msg("%s: %s %u %s; wanted: %s", file,
                     result.outcome == PASSED  ? "passed"
                     : result.outcome == FAULT ? "refused"
                                               : "dropped",
                     result.status, result.reason ? result.reason : "", text_of(message, "reason"));
    if (!is_odd_as_told(message, result.odd))
        ck_abort_msg("%s: has other deviations: %" PRIx64, file, result.odd);
    if (!reason && !is_phrase_as_told(message, &result))
        ck_abort_msg("%s: refused as %s", file, result.reason ? result.reason : "nothing");
    if (fine && reason)
        ck_abort_msg("%s: reading alone judges it right now: take it off the list", file);
}

/* By the scanner that is the specification, and by this machine's best. */
static void
judge(const struct collection *c, size_t n)
{
    judge_with(c, n, "plain");
    judge_with(c, n, "");
}

START_TEST(rfc4475_message)
{
    judge(&rfc4475, (size_t)_i);
}
END_TEST

START_TEST(wild_message)
{
    judge(&wild, (size_t)_i);
}
END_TEST

START_TEST(rfc5118_message)
{
    judge(&rfc5118, (size_t)_i);
}
END_TEST

START_TEST(made_message)
{
    judge(&made, (size_t)_i);
}
END_TEST

static bool
is_in(const struct collection *c, const char *file)
{
    for (size_t n = 0; n < json_array_size(c->messages); n++)
        if (strcmp(text_of(json_array_get(c->messages, n), "file"), file) == 0)
            return true;
    return false;
}

/* A list that names what is not there would hide nothing and mean nothing. */
START_TEST(listed_ones_exist)
{
    for (size_t i = 0; i < countof(later); i++) {
        bool found = false;

        for (size_t k = 0; k < countof(collections); k++)
            found |= is_in(collections[k], later[i].file);
        ck_assert_msg(found, "%s", later[i].file);
    }
    ck_assert_uint_ge(json_array_size(rfc4475.messages), 50);
    ck_assert_uint_ge(json_array_size(wild.messages), 40);
    ck_assert_uint_ge(json_array_size(rfc5118.messages), 12);
    ck_assert_uint_ge(json_array_size(made.messages), 390);
}
END_TEST

Suite *
suite_torture(void)
{
    Suite *s = suite_create("torture");
    TCase *c = tcase_create("torture");

    load_all();
    tcase_add_unchecked_fixture(c, NULL, unload_all);
    tcase_add_test(c, listed_ones_exist);
    tcase_add_loop_test(c, rfc4475_message, 0, (int)json_array_size(rfc4475.messages));
    tcase_add_loop_test(c, wild_message, 0, (int)json_array_size(wild.messages));
    tcase_add_loop_test(c, rfc5118_message, 0, (int)json_array_size(rfc5118.messages));
    tcase_add_loop_test(c, made_message, 0, (int)json_array_size(made.messages));
    suite_add_tcase(s, c);
    return s;
}
