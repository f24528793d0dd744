/*
 * Verdicts on deviations, and the fixes one after the other (RFC 3261 §7.3.1, RFC 4475 §3.1.2).
 */
#include "sip/repair.h"

#include "base/def.h"
#include "base/err.h"
#include "sip/addr.h"
#include "sip/mend.h"

void
repair_policy_default(struct repair_policy *policy)
{
    for (int id = 0; id < DEVIATIONS; id++)
        policy->verdict[id] = (uint8_t)deviation_info((enum deviation)id)->verdict;
}

bool
repair_may(enum deviation id, enum repair_verdict verdict)
{
    enum repair_choices choices = deviation_info(id)->choices;

    return choices == REPAIR_ALL || verdict == REPAIR_REJECT ||
           (verdict == REPAIR_ACCEPT) == (choices == REPAIR_ACCEPT_REJECT);
}

/* Of what is wrong here, all that gets this verdict. */
static uint64_t
those(const struct repair_policy *policy, uint64_t odd, enum repair_verdict verdict)
{
    uint64_t some = 0;

    for (int id = 0; id < DEVIATIONS; id++)
        if (policy->verdict[id] == verdict)
            some |= deviation_bit((enum deviation)id);
    return some & odd;
}

bool
repair_rejects(const struct repair_policy *policy, uint64_t odd)
{
    return those(policy, odd, REPAIR_REJECT) != 0;
}

static enum deviation
first_of(uint64_t odd)
{
    int id = 0;

    while (!(odd >> id & 1))
        id++;
    return (enum deviation)id;
}

static bool
is_of_an_address(enum deviation id)
{
    return id == DEV_OPEN_QUOTE || id == DEV_DISPLAY_NAME || id == DEV_ADDRESS_BLANKS ||
           id == DEV_NO_BRACKETS || id == DEV_ADDRESS_URI || id == DEV_ADDRESS_CHARACTERS ||
           id == DEV_EMPTY_TAG || id == DEV_TAG_TWICE || id == DEV_TAG_BLANKS ||
           id == DEV_TAG_CHARACTERS;
}

/* The field that is there again, in words. */
static const char *
repeated(const struct msg *msg)
{
    static const struct {
        enum header id;
        const char *phrase;
    } once[] = {
        { HDR_FROM, "Repeated From" },
        { HDR_TO, "Repeated To" },
        { HDR_CALL_ID, "Repeated Call-ID" },
        { HDR_CSEQ, "Repeated CSeq" },
        { HDR_MAX_FORWARDS, "Repeated Max-Forwards" },
        { HDR_CONTENT_LENGTH, "Repeated Content-Length" },
    };

    for (size_t i = 0; i < countof(once); i++) {
        const struct msg_field *first = msg_find(msg, once[i].id, NULL);

        if (first && msg_find(msg, once[i].id, first))
            return once[i].phrase;
    }
    return deviation_info(DEV_REPEATED_FIELD)->phrase;
}

static const char *
phrase_of(const struct msg *msg, const struct gist *gist, enum deviation id)
{
    if (id == DEV_REPEATED_FIELD)
        return repeated(msg);
    if (is_of_an_address(id))
        return gist_party_odd(gist->from) & deviation_bit(id) ? "Bad From" : "Bad To";
    return deviation_info(id)->phrase;
}

static void
reject(const struct msg *msg, struct gist *gist, enum deviation id, struct repair_done *done)
{
    done->rejected = deviation_bit(id);
    gist->fault = 400;
    gist->fault_reason = phrase_of(msg, gist, id);
}

struct shop {
    const struct repair_policy *policy;
    repair_fixer_fn *fixer;
    void *self;
    struct arena *work;
};

/* One rule's fix, and the message read anew. SIPD_ENOENT: it could not be mended. */
static int
mend_one(const struct shop *shop, enum deviation id, struct msg *msg, struct gist *gist,
         struct repair_done *done)
{
    struct draft d;
    uint64_t outside; /* not the readers' to note */
    struct span out;
    int err;

    outside = gist->odd & (deviation_bit(DEV_FIXER) | deviation_bit(DEV_NO_LENGTH));
    draft_init(&d, msg, shop->work);
    if (id == DEV_FIXER && shop->fixer)
        shop->fixer(&d, gist, shop->self);
    else
        mend(id, &d, gist);
    if (id == DEV_FIXER && shop->fixer && d.err == SIPD_OK && d.len == 0) {
        gist->odd &= ~deviation_bit(id); /* the fix of another rule has mended it, too */
        return SIPD_OK;
    }
    if (d.err != SIPD_ENOMEM && (d.err || d.len == 0))
        return SIPD_ENOENT;
    err = draft_render(&d, shop->work, &out);
    if (err == SIPD_OK)
        err = msg_read(out, shop->work, msg);
    if (err == SIPD_OK) {
        gist_read(msg, gist);
        gist->odd |= outside & ~deviation_bit(id);
        done->fixed |= deviation_bit(id);
    }
    return err == SIPD_OK || err == SIPD_ENOMEM ? err : SIPD_ENOENT;
}

/* Each rule once: what is still there after its fix is refused. Ends with a fault, or with nothing left to mend. */
static int
mend_all(const struct shop *shop, struct msg *msg, struct gist *gist, struct repair_done *done)
{
    while (gist->fault == 0) {
        uint64_t bad = those(shop->policy, gist->odd, REPAIR_REJECT) | (gist->odd & done->fixed);
        uint64_t wrong = those(shop->policy, gist->odd, REPAIR_FIX);
        enum deviation id;
        int err;

        if (bad) {
            reject(msg, gist, first_of(bad), done);
            return SIPD_OK;
        }
        if (!wrong)
            return SIPD_OK;
        id = first_of(wrong);
        err = mend_one(shop, id, msg, gist, done);
        if (err == SIPD_ENOENT)
            reject(msg, gist, id, done);
        else if (err)
            return err;
    }
    return SIPD_OK;
}

int
repair(const struct repair_policy *policy, repair_fixer_fn *fixer, void *self, struct arena *work,
       struct arena *arena, struct msg *msg, struct gist *gist, struct repair_done *done)
{
    struct shop shop = { policy, fixer, self, work };
    struct msg mended = *msg, kept;
    struct gist its = *gist;
    int err;

    *done = (struct repair_done){ .accepted = those(policy, gist->odd, REPAIR_ACCEPT) };
    err = mend_all(&shop, &mended, &its, done);
    done->accepted |= those(policy, its.odd, REPAIR_ACCEPT);
    if (err == SIPD_OK && its.fault == 0 && done->fixed) {
        err = msg_keep(&mended, arena, &kept);
        if (err == SIPD_OK) {
            gist_keep(&its, &mended, &kept, gist);
            *msg = kept;
        }
    } else if (err == SIPD_OK && its.fault) {
        gist->fault = its.fault; /* the answer is to what came */
        gist->fault_reason = its.fault_reason;
        done->fixed = 0;
    }
    arena_reset(work);
    return err;
}
