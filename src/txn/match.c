/*
 * The keys by which requests and responses find their transactions (RFC 3261 §17.1.3, §17.2.3, RFC 2543 peers too).
 *
 * A key is all the bytes that decide, fields divided by NUL, so that comparing keys is comparing bytes.
 */
#include "txn/match.h"

#include "base/word.h"
#include "txn/answered.h"

static char *
put(char *to, struct span s)
{
    to = span_write(to, s);
    *to = '\0';
    return to + 1;
}

static char *
put_lower(char *to, struct span s)
{
    if (s.len >= 8) { /* the last eight bytes overlap those before */
        for (size_t at = 0; at + 8 < s.len; at += 8)
            word_write(word_lower(word_read(s.at + at)), to + at);
        word_write(word_lower(word_read(s.at + s.len - 8)), to + s.len - 8);
    } else {
        for (size_t i = 0; i < s.len; i++)
            to[i] = span_lower(s.at[i]);
    }
    to[s.len] = '\0';
    return to + s.len + 1;
}

static char *
put_u32(char *to, uint32_t n)
{
    memcpy(to, &n, sizeof n);
    return to + sizeof n;
}

/* §17.2.3: branch, sent-by and method. Branches are compared with case: some peers write them in base64. */
static struct span
cookie_key(struct arena *arena, const struct gist *gist, struct span as)
{
    const struct via *via = &gist->via;
    char *key =
        arena_alloc(arena, 1 + as.len + via->branch.len + via->host.len + 3 + sizeof(uint32_t));
    char *end = key;

    if (!key)
        return (struct span){ NULL, 0 };
    *end++ = 'S';
    end = put(end, as);
    end = put(end, via->branch);
    end = put_lower(end, via->host);
    end = put_u32(end, via->port);
    return span_between(key, end);
}

/*
 * §17.2.3, the way for peers without the magic cookie. The To tag is left out, since an ACK has one that its INVITE had not, and
 * the Request-URI too, which the rest implies.
 */
static struct span
tuple_key(struct arena *arena, const struct gist *gist, struct span as)
{
    char *key = arena_alloc(arena, 1 + as.len + gist->call_id.len + gist->from_tag.len +
                                       gist->via.whole.len + 4 + sizeof(uint32_t));
    char *end = key;

    if (!key)
        return (struct span){ NULL, 0 };
    *end++ = 'O';
    end = put(end, as);
    end = put(end, gist->call_id);
    end = put(end, gist->from_tag);
    end = put(end, gist->via.whole);
    end = put_u32(end, gist->cseq);
    return span_between(key, end);
}

struct span
match_server_key(struct arena *arena, const struct gist *gist, struct span as)
{
    return gist->via.has_cookie ? cookie_key(arena, gist, as) : tuple_key(arena, gist, as);
}

struct span
match_client_key(struct arena *arena, struct span branch, struct span method)
{
    char *key = arena_alloc(arena, 1 + branch.len + method.len + 2);
    char *end = key;

    if (!key)
        return (struct span){ NULL, 0 };
    *end++ = 'C';
    end = put(end, branch);
    end = put(end, method);
    return span_between(key, end);
}

static bool
same_key(const struct table_node *node, const void *arg)
{
    const struct txn_entry *entry = container_of_const(node, struct txn_entry, node);
    const struct txn_key *key = arg;

    switch ((enum txn_form)entry->form) {
    case TXN_PENDING:
        return span_eq(txn_key(container_of_const(entry, struct txn, entry)), key->bytes);
    case TXN_ANSWERED_WHOLE:
        return span_eq(answered_key(container_of_const(entry, struct answered, entry)), key->bytes);
    case TXN_ANSWERED_WITH: break; /* its digest decides */
    }
    return true;
}

struct txn_entry *
match_find(const struct txns *t, const struct txn_key *key)
{
    if (!key->bytes.at)
        return NULL;
    return (struct txn_entry *)(void *)table_find(&t->table, key->hash, same_key, key);
}
