/*
 * A binding refreshed where it lies is what the long way makes of it: the same REGISTERs go to two registrars, of which one
 * knows the short way, and after each both hold the same and have noted the same.
 */
#include "registrar/refresh.h"

#include <stdio.h>

#include "base/def.h"
#include "base/rand.h"
#include "sipd/module.h"
#include "unit/heap.h"
#include "unit/text.h"

enum { STEPS = 20000, BEGUN_MS = 1000000 };

static const struct span aors[] = { { "sip:bob@example.com", 19 }, { "sip:eve@example.com", 19 } };

struct side {
    struct jobs jobs;
    struct bindings *index;
    uint64_t now_ms;
    uint8_t noted[16]; /* a digest of all facts, in order */
};

static const uint8_t key[16] = { 7 };

static void
side_note(void *self, const struct fact *fact)
{
    struct side *side = self;
    char bytes[8192];
    size_t len = sizeof side->noted;

    memcpy(bytes, side->noted, len);
    memcpy(bytes + len, &fact->id, sizeof fact->id);
    len += sizeof fact->id;
    memcpy(bytes + len, &fact->version, sizeof fact->version);
    len += sizeof fact->version;
    must(fact->bytes.len <= sizeof bytes - len);
    memcpy(bytes + len, fact->bytes.at, fact->bytes.len);
    sipd_prf(key, (struct span){ bytes, len + fact->bytes.len }, side->noted);
}

static bool
side_is_watched(void *self)
{
    (void)self;
    return true;
}

static struct span
side_listener(void *self, uint16_t listener)
{
    (void)self;
    return listener == 1 ? SPAN("udp:192.0.2.1:5060") : SPAN("tcp:192.0.2.1:5060");
}

static uint64_t
side_now_ms(void *self)
{
    return ((struct side *)self)->now_ms;
}

static int64_t
side_steady_s(void *self, uint64_t at_ms)
{
    (void)self;
    return (int64_t)(at_ms / 1000 + 1700000000);
}

static void
side_tell(void *self, struct job *job)
{
    (void)self;
    (void)job;
    ck_abort_msg("a store that forgets has nobody wait");
}

static int
side_write(void *store, struct store_write *write)
{
    (void)store;
    write->err = SIPD_OK;
    return STORE_NOW;
}

static const struct store_ops forgetful = { .forgets = true, .write = side_write },
                              mindful = { .write = side_write };

static void
side_init(struct side *side, const struct store_ops *ops)
{
    struct bindings_port port = { side, side_note, side_is_watched, side_listener };

    *side = (struct side){ .now_ms = BEGUN_MS };
    side->index = bindings_new(&port, key, side->now_ms);
    must(side->index);
    jobs_init(&side->jobs);
    side->jobs.port =
        (struct jobs_port){ side, side_now_ms, side_steady_s, side_listener, side_tell };
    side->jobs.limits = (struct jobs_limits){ 8, 100, 0, 1000 };
    side->jobs.index = side->index;
    side->jobs.ops = ops;
}

static void
side_fini(struct side *side)
{
    jobs_fini(&side->jobs);
    bindings_free(&side->index);
}

/* What a REGISTER may bring: few enough of each that much is said again, and much is nearly the same. */
struct wanted {
    struct rules_contact contact;
    struct job_ask ask;
};

/* Mostly the first. */
static size_t
pick(struct rand *rand, size_t len)
{
    return rand_below(rand, 3) > 0 ? 0 : (size_t)rand_below(rand, len);
}

static void
wanted_make(struct wanted *w, struct rand *rand)
{
    static const char *const uris[] = { "sip:b@192.0.2.7",     "sip:b@192.0.2.7;x=1",
                                        "sip:b@192.0.2.7;x=2", "sip:%62@192.0.2.7",
                                        "sips:b@192.0.2.8",    "tel:+491234" };
    static const char *const params[] = { "", ";+sip.instance=\"<urn:a>\"",
                                          ";+sip.instance=\"<urn:b>\";audio" };
    static const char *const calls[] = { "one", "two" }, *const agents[] = { "", "Phone" },
                             *const paths[] = { "", "<sip:edge;lr>" };
    struct rules_contact *c = &w->contact;

    *c = (struct rules_contact){ .q = rand_below(rand, 6) == 0 ? 500 : STORE_NO_Q };
    c->params = span_of(params[pick(rand, countof(params))]);
    c->instance = binding_find_instance(c->params);
    c->reg_id = c->instance.len > 0 ? (uint32_t)pick(rand, 2) : 0;
    c->expires_s = rand_below(rand, 20) == 0 ? 0 : 60 * (1 + (uint32_t)rand_below(rand, 3));
    w->ask = (struct job_ask){
        .kind = JOB_REGISTER,
        .aor = aors[rand_below(rand, 2)],
        .reg = { .call_id = span_of(calls[rand_below(rand, 4) == 0]), .contacts = c, .len = 1 },
        .source = { .transport = HOP_UDP, .port = 4711, .listener = 1 },
        .relayed = rand_below(rand, 6) == 0,
        .user_agent = span_of(agents[rand_below(rand, 6) > 0]),
    };
    w->ask.reg.path = span_of(paths[rand_below(rand, 8) == 0]);
    if (rand_below(rand, 6) == 0)
        w->ask.source.port++;
    if (rand_below(rand, 6) == 0)
        w->ask.source = (struct hop){ .transport = HOP_TCP, .port = 1, .listener = 2, .flow = 9 };
    must(rules_contact_uri(c, span_of(uris[pick(rand, countof(uris))]), &w->ask.source));
}

static unsigned
enter(struct side *side, const struct job_ask *ask, uint64_t asker, bool *at_once)
{
    struct job_ask mine = *ask;
    struct job_at_once once;
    unsigned status;
    struct job *job;

    mine.asker = asker;
    *at_once = refresh_at_once(&side->jobs, bindings_find(side->index, ask->aor), &mine);
    if (*at_once)
        return 200;
    if (side->jobs.ops->forgets) {
        must(jobs_may_be_at_once(&side->jobs, bindings_find(side->index, ask->aor)));
        must(jobs_at_once(&side->jobs, &mine, &once) == SIPD_OK);
        must(once.job.state == JOB_DONE);
        status = once.job.answer.status;
        jobs_leave(&side->jobs, &once);
        return status;
    }
    must(jobs_enter(&side->jobs, &mine, &job) == SIPD_OK && job->state == JOB_DONE);
    status = job->answer.status;
    jobs_take(&side->jobs, &job);
    return status;
}

static bool
are_same(const struct binding *a, const struct binding *b)
{
    return a->deadline_ms == b->deadline_ms && a->expires_s == b->expires_s &&
           a->granted_s == b->granted_s && a->cseq == b->cseq && a->reg_id == b->reg_id &&
           a->uri_hash == b->uri_hash && a->version == b->version && a->q == b->q &&
           a->reach == b->reach && hop_eq(&a->source, &b->source) &&
           a->source.flow == b->source.flow && a->source.listener == b->source.listener &&
           span_eq(binding_contact(a), binding_contact(b)) &&
           span_eq(binding_params(a), binding_params(b)) &&
           span_eq(binding_call_id(a), binding_call_id(b)) &&
           span_eq(binding_path(a), binding_path(b)) && span_eq(binding_agent(a), binding_agent(b));
}

static void
must_agree(const struct side *one, const struct side *other)
{
    must(bindings_count(one->index) == bindings_count(other->index));
    must(memcmp(one->noted, other->noted, sizeof one->noted) == 0);
    for (size_t i = 0; i < countof(aors); i++) {
        const struct aor *a = bindings_find(one->index, aors[i]),
                         *b = bindings_find(other->index, aors[i]);
        const struct binding *of_a = a ? a->first : NULL, *of_b = b ? b->first : NULL;

        for (; of_a && of_b; of_a = of_a->next, of_b = of_b->next)
            must(are_same(of_a, of_b));
        must(!of_a && !of_b);
    }
}

static void
pass(struct side *side, uint64_t ms)
{
    struct binding *dead;

    side->now_ms += ms;
    for (size_t i = 0; i < countof(aors); i++) {
        struct aor *aor = bindings_find(side->index, aors[i]);

        if (aor) {
            (void)bindings_expire(side->index, aor, side->now_ms);
            bindings_release(side->index, aor);
        }
    }
    while ((dead = bindings_take_dead(side->index)))
        binding_free(&dead);
}

/* Each is found in its second of the wheel. */
static size_t
swept(struct side *side)
{
    bool more = true;
    size_t gone = 0;

    while (side->now_ms += 1000, bindings_count(side->index) > 0 && side->now_ms < 1000000000)
        gone += bindings_sweep(side->index, side->now_ms, 1000, &more);
    return gone;
}

START_TEST(as_the_long_way)
{
    struct side quick, slow;
    unsigned at_once = 0, refused = 0;
    uint32_t cseq = 1;
    struct rand rand;

    rand_seed(&rand, 5626);
    side_init(&quick, &forgetful);
    side_init(&slow, &mindful);
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint64_t ms = rand_below(&rand, 4) == 0 ? rand_below(&rand, 30000) : 0;
        bool was_quick, was_slow;
        struct wanted wanted;
        unsigned status;

        pass(&quick, ms);
        pass(&slow, ms);
        wanted_make(&wanted, &rand);
        cseq += rand_below(&rand, 10) > 0;
        wanted.ask.reg.cseq = cseq - (rand_below(&rand, 10) == 0);
        status = enter(&quick, &wanted.ask, step, &was_quick);
        must(enter(&slow, &wanted.ask, step, &was_slow) == status && !was_slow);
        must_agree(&quick, &slow);
        at_once += was_quick;
        refused += status != 200;
    }
    ck_assert_msg(at_once > STEPS / 100 && refused > STEPS / 100, "%u, %u", at_once, refused);
    ck_assert_uint_eq(swept(&quick), swept(&slow));
    must(bindings_count(quick.index) == 0);
    side_fini(&quick);
    side_fini(&slow);
}
END_TEST

Suite *
suite_registrar_refresh(void)
{
    Suite *suite = suite_create("registrar_refresh");
    TCase *all = heap_case("all");

    tcase_add_test(all, as_the_long_way);
    suite_add_tcase(suite, all);
    return suite;
}
