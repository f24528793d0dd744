/*
 * Explaining, for sipctl: what was decided is kept on a tape while somebody wants it, and told in JSON.
 */
#include "daemon/teller.h"

#include <time.h>

#include "base/mem.h"
#include "daemon/rehearse.h"
#include "daemon/tape.h"
#include "host/answer.h"

enum {
    EVENTS_MOST = 500,       /* of an answer to trace since */
    CALL_MOST = 1000,        /* … to explain call: its last ones */
    BYTES_MOST = 512 * 1024, /* of messages in an answer */
    BASE64_BYTES = 1 << 20,
    WORDS_BYTES = 8192,
    MIB = 1 << 20,
};

struct teller {
    struct tape tape;
    struct prf_key key;
    uint64_t next;           /* of a tape that is to come */
    uint64_t until_ms;       /* somebody asks again and again … */
    uint64_t bytes_until_ms; /* … for whole messages too */
    size_t tape_bytes;       /* as configured */
    struct buf words, base64, work;
};

/* ------------------------------------------------------------------ keeping */

static uint64_t
utc_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Is anybody there for it? Who has not asked for a while is gone. */
static bool
is_wanted(struct daemon *d)
{
    if (d->config->text.explain.always || d->clock.now_ms < d->teller->until_ms)
        return true;
    core_explain(d->core, false);
    return false;
}

void
teller_event(struct daemon *d, const struct explain_event *event)
{
    struct teller *teller = d->teller;
    struct net_listener_info info;
    bool has_local;

    if (event->dry != 0) {
        rehearse_event(d, event);
        return;
    }
    if (!teller || !is_wanted(d))
        return;
    has_local =
        event->bytes.len > 0 && event->hop && net_listener(d->net, event->hop->listener, &info);
    tape_put(&teller->tape, event, utc_us(), has_local ? &info.at : NULL,
             d->clock.now_ms < teller->bytes_until_ms);
}

/* False: there is no memory for it. */
static bool
start(struct daemon *d)
{
    struct teller *teller = d->teller;

    if (!teller->tape.bytes &&
        tape_init(&teller->tape, teller->tape_bytes, &teller->key, teller->next) != SIPD_OK)
        return false;
    core_explain(d->core, true);
    return true;
}

void
teller_take_config(struct daemon *d)
{
    struct teller *teller = d->teller;
    size_t bytes = (size_t)d->config->text.explain.memory_mib * MIB;

    if (!teller)
        return;
    if (bytes != teller->tape_bytes && teller->tape.bytes) {
        teller->next = teller->tape.next;
        tape_fini(&teller->tape);
        core_explain(d->core, false);
    }
    teller->tape_bytes = bytes;
    if ((d->config->text.explain.always || d->clock.now_ms < teller->until_ms) && !start(d))
        log_event(&d->log, LOG_LVL_WARN, "nothing-explained", "reason", "out of memory", NULL);
}

/* ------------------------------------------------------------------ telling */

static void
put_hop(struct sipd_answer *answer, const char *name, const struct hop *hop)
{
    char text[HOP_TEXT_BYTES];

    sipd_answer_field(answer, name, hop_write(hop, text));
}

static void
put_text(struct sipd_answer *answer, const char *name, struct span text)
{
    if (text.len > 0)
        sipd_answer_field(answer, name, text);
}

/* RFC 4648 §4 */
static void
write_base64(struct span bytes, struct buf *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    buf_clear(to);
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (uint8_t)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_put_char(to, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

static void
put_words(struct teller *teller, const struct tape_record *r, const struct span texts[TAPE_TEXTS],
          struct sipd_answer *answer)
{
    struct explain_event event = {
        .step = (enum step)r->step,
        .uri = texts[TAPE_URI],
        .who = texts[TAPE_WHO],
        .why = texts[TAPE_WHY],
        .line = texts[TAPE_LINE],
        .status = (uint16_t)r->status,
        .q = r->q,
        .count = r->count,
        .hop = r->has_hop ? &r->hop : NULL,
    };

    buf_clear(&teller->words);
    explain_words(&event, &teller->words);
    sipd_answer_field(answer, "words", buf_span(&teller->words));
}

static void
put_message(struct teller *teller, const struct tape_record *r, const struct span texts[TAPE_TEXTS],
            bool with_bytes, struct sipd_answer *answer)
{
    sipd_answer_field(answer, "transport", hop_transport_uri(r->hop.transport));
    if (r->has_local)
        put_hop(answer, "local", &r->local);
    put_hop(answer, "peer", &r->hop);
    put_text(answer, "line", texts[TAPE_LINE]);
    put_text(answer, "cseq", texts[TAPE_CSEQ]);
    if (!with_bytes || texts[TAPE_BYTES].len == 0)
        return;
    write_base64(texts[TAPE_BYTES], &teller->base64);
    put_text(answer, "bytes", buf_span(&teller->base64));
}

static void
put_decision(const struct tape_record *r, const struct span texts[TAPE_TEXTS],
             struct sipd_answer *answer)
{
    put_text(answer, "uri", texts[TAPE_URI]);
    put_text(answer, "who", texts[TAPE_WHO]);
    put_text(answer, "why", texts[TAPE_WHY]);
    put_text(answer, "verdict", texts[TAPE_LINE]);
    if (r->status != 0)
        sipd_answer_number(answer, "status", r->status);
    if (r->count != 0)
        sipd_answer_number(answer, "count", r->count);
    if (r->has_q)
        sipd_answer_number(answer, "q_thousandths", r->q);
    if (r->has_hop) {
        sipd_answer_field(answer, "transport", hop_transport_uri(r->hop.transport));
        put_hop(answer, "peer", &r->hop);
    }
}

/* A row for each event, in the form of src/sipctl/event.h. */
static void
put_event(struct teller *teller, const struct tape_record *r, const struct span texts[TAPE_TEXTS],
          bool with_bytes, struct sipd_answer *answer)
{
    char trip[32];

    sipd_answer_row(answer);
    sipd_answer_number(answer, "seq", (int64_t)r->seq);
    sipd_answer_number(answer, "at_us", (int64_t)r->at_us);
    put_text(answer, "call_id", texts[TAPE_CALL_ID]);
    if (r->trip != 0) {
        snprintf(trip, sizeof trip, "%llx", (unsigned long long)r->trip);
        sipd_answer_field(answer, "trip", span_of(trip));
    }
    sipd_answer_field(answer, "step", explain_step_name((enum step)r->step));
    if (r->nth != 0)
        sipd_answer_number(answer, "branch", r->nth - 1);
    put_words(teller, r, texts, answer);
    if (r->step == STEP_HEARD || r->step == STEP_SENT)
        put_message(teller, r, texts, with_bytes, answer);
    else
        put_decision(r, texts, answer);
}

void
teller_put(struct daemon *d, const struct explain_event *event, uint64_t seq,
           struct sipd_answer *answer)
{
    struct teller *teller = d->teller;
    struct span texts[TAPE_TEXTS];
    struct tape_record r;

    tape_flatten(&teller->tape, event, &teller->work, &r, texts);
    r.seq = seq;
    r.at_us = utc_us();
    texts[TAPE_CALL_ID].len = 0;
    put_event(teller, &r, texts, false, answer);
}

/* ------------------------------------------------------------------ trace since SEQ [all | user USER | call CALL-ID] [bytes] */

struct wish {
    uint64_t seq;
    struct span user, call; /* empty: of all */
    bool bytes;
};

static bool
read_wish(const struct sipd_ask *ask, struct wish *wish)
{
    const struct span *word = ask->words + 1, *end = ask->words + ask->words_len;

    *wish = (struct wish){ .seq = 0 };
    if (!span_u64(ask->words[0], INT64_MAX, &wish->seq))
        return false;
    if (word < end && span_eq(*word, SPAN("all"))) {
        word++;
    } else if (end - word >= 2 && span_eq(*word, SPAN("user"))) {
        wish->user = word[1];
        word += 2;
    } else if (end - word >= 2 && span_eq(*word, SPAN("call"))) {
        wish->call = word[1];
        word += 2;
    }
    if (word < end && span_eq(*word, SPAN("bytes"))) {
        wish->bytes = true;
        word++;
    }
    return word == end;
}

static bool
is_of_user(const struct tape_record *r, uint32_t name)
{
    for (int i = 0; i < TAPE_NAMES; i++)
        if (r->names[i] == name)
            return true;
    return false;
}

/* Is it one that was wished for? Then it is filled. */
static bool
get(const struct tape *tape, const struct wish *wish, uint64_t seq, struct tape_record *r,
    struct span texts[TAPE_TEXTS])
{
    if (wish->call.len > 0 && !tape_may_be(tape, seq, tape_call_hash(tape, wish->call)))
        return false;
    return tape_get(tape, seq, r, texts) &&
           (wish->call.len == 0 || span_eq(texts[TAPE_CALL_ID], wish->call)) &&
           (wish->user.len == 0 || is_of_user(r, tape_name_hash(tape, wish->user)));
}

/* The events from a number on, as many as one answer holds. Returns the next number. */
static uint64_t
put_events(struct teller *teller, const struct wish *wish, uint64_t seq, unsigned most,
           struct sipd_answer *answer)
{
    const struct tape *tape = &teller->tape;
    struct span texts[TAPE_TEXTS];
    struct tape_record r;
    size_t bytes = 0;

    for (unsigned n = 0; seq < tape->next && n < most && bytes < BYTES_MOST; seq++) {
        if (!get(tape, wish, seq, &r, texts))
            continue;
        put_event(teller, &r, texts, wish->bytes, answer);
        bytes += wish->bytes ? texts[TAPE_BYTES].len : 0;
        n++;
    }
    return seq;
}

static void
trace_since(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    struct teller *teller = d->teller;
    struct wish wish;
    uint64_t seq;

    if (!read_wish(ask, &wish)) {
        sipd_answer_refuse(answer, "trace since <seq> [all | user USER | call CALL-ID] [bytes]");
        return;
    }
    teller->until_ms = d->clock.now_ms + TELLER_AFTER_MS;
    if (wish.bytes)
        teller->bytes_until_ms = teller->until_ms;
    if (!start(d)) {
        sipd_answer_refuse(answer, "there is no memory for it: explain.memory_mib");
        return;
    }
    seq = wish.seq == 0 || wish.seq > teller->tape.next ? teller->tape.next : wish.seq;
    answer_call_rows(answer, "events");
    answer_whole_number(answer, "lost",
                        seq < teller->tape.first ? (int64_t)(teller->tape.first - seq) : 0);
    if (seq < teller->tape.first)
        seq = teller->tape.first;
    answer_whole_number(answer, "next",
                        (int64_t)put_events(teller, &wish, seq, EVENTS_MOST, answer));
}

/* ------------------------------------------------------------------ explain call CALL-ID */

/* From here on there are no more of the call's events than an answer holds. */
static uint64_t
last_of(const struct tape *tape, const struct wish *wish)
{
    uint32_t call = tape_call_hash(tape, wish->call);
    uint64_t seq = tape->next;

    for (unsigned n = 0; seq > tape->first && n < CALL_MOST; seq--)
        n += tape_may_be(tape, seq - 1, call);
    return seq;
}

static void
explain_call(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct daemon *d = self;
    struct teller *teller = d->teller;
    struct wish wish = { .call = ask->words[0] };
    uint64_t seq = last_of(&teller->tape, &wish);
    struct span texts[TAPE_TEXTS];
    struct tape_record r;

    while (seq < teller->tape.next && !get(&teller->tape, &wish, seq, &r, texts))
        seq++;
    if (seq == teller->tape.next) {
        sipd_answer_refuse(answer, "nothing is known of this call%s",
                           d->config->text.explain.always
                               ? ""
                               : "; what is decided is kept while sipctl trace runs, or with "
                                 "explain.always");
        return;
    }
    answer_call_rows(answer, "events");
    answer_whole_field(answer, "call_id", wish.call);
    put_events(teller, &wish, seq, CALL_MOST, answer);
}

/* ------------------------------------------------------------------ a life */

int
teller_declare(struct daemon *d)
{
    struct teller *teller = d->teller = mem_new(sizeof *teller);
    int err;

    if (!teller)
        return SIPD_ENOMEM;
    teller->key = (struct prf_key){ rand_u64(&d->rand), rand_u64(&d->rand) };
    teller->next = 1;
    teller->tape.key = teller->key;
    buf_init(&teller->words, WORDS_BYTES);
    buf_init(&teller->base64, BASE64_BYTES);
    buf_init(&teller->work, TAPE_WORK_BYTES);
    teller_take_config(d);
    err = host_command(d->host, "trace since <seq> [scope] [name] [bytes]",
                       "what was decided from a number on, for programs: all, user USER, call "
                       "CALL-ID, and bytes for whole messages",
                       false, trace_since, d);
    if (err == SIPD_OK)
        err =
            host_command(d->host, "explain call <call-id>",
                         "what was decided about a call, and its messages", false, explain_call, d);
    if (err == SIPD_OK)
        err = rehearse_declare(d);
    return err;
}

void
teller_fini(struct daemon *d)
{
    struct teller *teller = d->teller;

    d->teller = NULL;
    if (!teller)
        return;
    rehearse_fini(d);
    tape_fini(&teller->tape);
    buf_fini(&teller->words);
    buf_fini(&teller->base64);
    buf_fini(&teller->work);
    mem_free(teller);
}
