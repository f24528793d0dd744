/*
 * What an administrator may ask of the registrar: show, add and remove bindings.
 */
#include <stdio.h>

#include "contact.h"
#include "registrar.h"

#define SHOW_ROWS     256 /* of a listing in a turn */
#define SHOW_AGAIN_MS 1

/* ---------------------------------------------------------------- rows */

static struct span
reach_word(const struct binding *b)
{
    return b->reach == HOP_NONE ? SPAN("uri") : hop_transport_uri(b->reach);
}

static void
show_source(struct sipd_answer *answer, const struct binding *b)
{
    char address[HOP_TEXT_BYTES], text[2 * HOP_TEXT_BYTES] = "";
    int len = 0;

    if (b->source.transport != HOP_NONE)
        len = snprintf(text, sizeof text, "%.*s:%.*s",
                       SPAN_ARG(hop_transport_uri(b->source.transport)),
                       SPAN_ARG(hop_write(&b->source, address)));
    sipd_answer_field(answer, "source", (struct span){ text, (size_t)len });
}

static void
show_flow(struct sipd_answer *answer, const struct binding *b)
{
    char text[24] = "";
    int len = 0;

    if (b->source.flow != 0 && b->source.flow != HOP_FLOW_DEAD)
        len = snprintf(text, sizeof text, "%llu", (unsigned long long)b->source.flow);
    sipd_answer_field(answer, "flow",
                      b->source.flow == HOP_FLOW_DEAD ? SPAN("dead")
                                                      : (struct span){ text, (size_t)len });
}

static void
show_binding(const struct registrar *r, struct sipd_answer *answer, const struct binding *b)
{
    char q[8];

    sipd_answer_row(answer);
    sipd_answer_field(answer, "aor", binding_aor(b));
    sipd_answer_field(answer, "contact", binding_contact(b));
    sipd_answer_field(answer, "q", contact_q_write(b->q, q));
    sipd_answer_number(answer, "expires_s", (int64_t)registrar_left_s(b, sipd_now_ms(r->host)));
    sipd_answer_field(answer, "call_id", binding_call_id(b));
    sipd_answer_number(answer, "cseq", b->cseq);
    show_source(answer, b);
    sipd_answer_field(answer, "reach", reach_word(b));
    sipd_answer_field(answer, "listener", sipd_listener_text(r->host, b->source.listener));
    show_flow(answer, b);
    sipd_answer_field(answer, "instance", binding_instance(b));
    sipd_answer_number(answer, "reg_id", b->reg_id);
    sipd_answer_field(answer, "path", binding_path(b));
    sipd_answer_field(answer, "user_agent", binding_agent(b));
}

/* Shows the bindings of one AoR; returns how many. */
static size_t
show_aor(const struct registrar *r, struct sipd_answer *answer, const struct aor *aor)
{
    uint64_t now_ms = sipd_now_ms(r->host);
    size_t shown = 0;

    for (const struct binding *b = aor ? aor->first : NULL; b; b = b->next)
        if (b->deadline_ms > now_ms) {
            show_binding(r, answer, b);
            shown++;
        }
    return shown;
}

/* A listing of all, a slice in each turn. */
struct listing {
    struct ring ring; /* among the listings under way */
    struct registrar *registrar;
    uint64_t answer_id;
    size_t place;
};

static void
listing_free(struct listing *listing)
{
    bindings_walk_end(listing->registrar->index);
    ring_out(&listing->ring);
    sipd_free(listing);
}

void
registrar_end_listings(struct registrar *r)
{
    while (!ring_is_empty(&r->listings))
        listing_free(RING_OF(r->listings.next, struct listing, ring));
}

/* Shows a slice; true if that was the last. */
static bool
show_slice(struct registrar *r, struct sipd_answer *answer, size_t *place)
{
    const struct aor *aor;

    for (size_t shown = 0; shown < SHOW_ROWS; shown++) {
        if (!bindings_walk(r->index, place, &aor))
            return true;
        for (; aor; aor = bindings_after(aor))
            shown += show_aor(r, answer, aor);
    }
    return false;
}

static void
show_more(void *self, uint64_t arg)
{
    struct listing *listing = self;
    struct registrar *r = listing->registrar;
    struct sipd_answer *answer = sipd_answer_find(r->host, listing->answer_id);
    bool end = true;

    (void)arg;
    if (answer)
        end = show_slice(r, answer, &listing->place);
    if (!end && sipd_timer(r->host, SHOW_AGAIN_MS, show_more, listing, 0) != 0)
        return;
    if (answer && !end)
        sipd_answer_refuse(answer, "out of memory");
    listing_free(listing);
    if (answer)
        sipd_answer_send(answer);
}

static void
show_rest(struct registrar *r, struct sipd_answer *answer, size_t place)
{
    struct listing *listing = sipd_alloc(sizeof *listing);

    if (!listing || sipd_timer(r->host, SHOW_AGAIN_MS, show_more, listing, 0) == 0) {
        sipd_free(listing);
        sipd_answer_refuse(answer, "out of memory");
        return;
    }
    bindings_walk_begin(r->index);
    ring_init(&listing->ring);
    ring_put(&r->listings, &listing->ring);
    listing->registrar = r;
    listing->place = place;
    listing->answer_id = sipd_answer_later(answer);
}

/* ---------------------------------------------------------------- what was typed */

/* "alice@example.com" or a whole URI. */
static bool
aor_read(const struct registrar *r, struct span word, char text[STORE_AOR_BYTES], struct span *aor,
         struct sipd_answer *answer)
{
    char whole[STORE_AOR_BYTES];
    struct span said = word;
    struct uri uri;
    int len;

    if (span_find(word, ':') > span_find(word, '@')) {
        len = snprintf(whole, sizeof whole, "sip:%.*s", SPAN_ARG(word));
        said = (struct span){ whole, len > 0 && (size_t)len < sizeof whole ? (size_t)len : 0 };
    }
    if (uri_read(said, &uri) == SIPD_OK && registrar_aor(r, &uri, text, aor))
        return true;
    sipd_answer_refuse(answer, "%.*s: not a user of one of our domains", SPAN_ARG(word));
    return false;
}

static bool
contact_read(struct span word, struct rules_contact *contact, struct sipd_answer *answer)
{
    contact->q = STORE_NO_Q;
    contact->any_flow = true;
    if (rules_contact_uri(contact, word, NULL))
        return true;
    sipd_answer_refuse(answer, "%.*s: not a URI", SPAN_ARG(word));
    return false;
}

static bool
seconds_read(struct span word, struct rules_contact *contact, struct sipd_answer *answer)
{
    if (span_u32(word, UINT32_MAX, &contact->expires_s) && contact->expires_s > 0)
        return true;
    sipd_answer_refuse(answer, "%.*s: not a number of seconds", SPAN_ARG(word));
    return false;
}

static bool
q_read(struct span word, struct rules_contact *contact, struct sipd_answer *answer)
{
    uint32_t q;

    if (!addr_q_read(word, &q)) {
        sipd_answer_refuse(answer, "%.*s: not a q between 0 and 1", SPAN_ARG(word));
        return false;
    }
    contact->q = (uint16_t)q;
    return true;
}

/* ---------------------------------------------------------------- commands */

static void
show_bindings(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct registrar *r = self;
    char text[STORE_AOR_BYTES];
    struct span aor;
    size_t place = 0;

    if (ask->words_len == 0) {
        if (!show_slice(r, answer, &place))
            show_rest(r, answer, place);
        return;
    }
    if (!aor_read(r, ask->words[0], text, &aor, answer))
        return;
    if (show_aor(r, answer, bindings_find(r->index, aor)) == 0)
        sipd_answer_refuse(answer,
                           registrar_has_read(r, aor) ? "%.*s: no bindings"
                                                      : "%.*s: not known yet, bindings are still "
                                                        "being read",
                           SPAN_ARG(aor));
}

/* What a job has come to, in the words of a command. */
static void
tell_job(const struct registrar *r, const struct job *job, struct sipd_answer *answer)
{
    struct span aor = job->ask.aor, phrase = job->answer.phrase;

    if (job->answer.status != 200)
        sipd_answer_refuse(answer, "%.*s: %u %.*s", SPAN_ARG(aor), job->answer.status,
                           SPAN_ARG(phrase.len > 0 ? phrase
                                    : job->again   ? SPAN("could not be stored")
                                                   : SPAN("refused")));
    else if (job->changed == 0)
        sipd_answer_refuse(answer, "%.*s: no such binding", SPAN_ARG(aor));
    else
        show_aor(r, answer, bindings_find(r->index, aor));
}

void
registrar_answer_job(struct registrar *r, struct job *job)
{
    struct sipd_answer *answer = sipd_answer_find(r->host, job->ask.asker);

    if (answer) {
        tell_job(r, job, answer);
        sipd_answer_send(answer);
    }
    jobs_take(&r->jobs, &job);
}

/*
 * Commands go the way of a REGISTER with a Call-ID of its own, so that nothing that a phone said before is
 * newer.
 */
static void
change(struct registrar *r, struct span aor, const struct rules_contact *contact,
       struct sipd_answer *answer)
{
    char call_id[48];
    struct job_ask ask = {
        .kind = JOB_COMMAND,
        .aor = aor,
        .reg = { .cseq = 1, .star = !contact, .contacts = contact, .len = contact ? 1 : 0 },
        .user_agent = SPAN("sipctl"),
    };
    struct job *job;
    int err;

    snprintf(call_id, sizeof call_id, "sipctl-%016llx", (unsigned long long)sipd_random(r->host));
    ask.reg.call_id = span_of(call_id);
    err = registrar_has_read(r, aor) ? jobs_enter(&r->jobs, &ask, &job) : SIPD_EFULL;
    if (err) {
        sipd_answer_refuse(answer, "%.*s: cannot be stored now%s", SPAN_ARG(aor),
                           registrar_has_read(r, aor) ? "" : ", bindings are still being read");
    } else if (job->state == JOB_DONE) {
        tell_job(r, job, answer);
        jobs_take(&r->jobs, &job);
    } else {
        job->ask.asker = sipd_answer_later(answer);
    }
}

/* What stood for the n-th <x> of the pattern; empty if it was left out. */
static struct span
word(const struct sipd_ask *ask, size_t n)
{
    return n < ask->words_len ? ask->words[n] : SPAN("");
}

static void
add_binding(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct registrar *r = self;
    struct rules_contact contact = { .expires_s = r->limits.default_expires_s };
    struct span aor, expires = word(ask, 2), q = word(ask, 3);
    char text[STORE_AOR_BYTES];

    if (aor_read(r, word(ask, 0), text, &aor, answer) &&
        contact_read(word(ask, 1), &contact, answer) &&
        (expires.len == 0 || seconds_read(expires, &contact, answer)) &&
        (q.len == 0 || q_read(q, &contact, answer)))
        change(r, aor, &contact, answer);
}

static void
remove_binding(void *self, const struct sipd_ask *ask, struct sipd_answer *answer)
{
    struct registrar *r = self;
    struct rules_contact contact = { .expires_s = 0 };
    char text[STORE_AOR_BYTES];
    struct span aor;

    if (!aor_read(r, word(ask, 0), text, &aor, answer))
        return;
    if (ask->words_len < 2)
        change(r, aor, NULL, answer);
    else if (contact_read(word(ask, 1), &contact, answer))
        change(r, aor, &contact, answer);
}

int
registrar_commands(struct registrar *r)
{
    int err;

    if ((err = sipd_command(r->host, "show bindings [aor]",
                            "where users are: the Contacts of one, or of all", false, show_bindings,
                            r)) != SIPD_OK ||
        (err = sipd_command(r->host, "add binding <aor> <contact> [expires <seconds>] [q <q>]",
                            "register a Contact for a user", true, add_binding, r)) != SIPD_OK)
        return err;
    return sipd_command(r->host, "remove binding <aor> [contact]",
                        "remove a Contact of a user, or all of them", true, remove_binding, r);
}
