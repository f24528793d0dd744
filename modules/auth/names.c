/*
 * Aliases from the settings, sorted to be found.
 */
#include "names.h"

#include <stdlib.h>

#include <sipd/module.h>

#include "users.h"

const struct sipd_conf_item names_items[] = {
    SIPD_STR_REQUIRED(names_conf, user, "who logs in: name@domain"),
    SIPD_STRS(names_conf, as, "", 1, NAMES_MAX, "what else it may be in From and To: name@domain"),
    SIPD_CONF_END
};

static struct span
alias_of(const struct names_pair *pair)
{
    return (struct span){ pair->text, pair->alias_len };
}

static struct span
user_of(const struct names_pair *pair)
{
    return (struct span){ pair->text + pair->alias_len, pair->user_len };
}

static int
by_both(const void *a, const void *b)
{
    const struct names_pair *one = a, *other = b;
    int order = span_order(alias_of(one), alias_of(other));

    return order ? order : span_order(user_of(one), user_of(other));
}

static bool
id_read(struct span text, struct user_id *id)
{
    size_t at = span_find(text, '@');

    return at < text.len && user_id_write(span_head(text, at), span_skip(text, at + 1), id);
}

static int
pair_add(struct names *names, const struct user_id *alias, const struct user_id *user)
{
    struct names_pair *pair = &names->at[names->len];

    pair->text = sipd_alloc(alias->len + user->len);
    if (!pair->text)
        return SIPD_ENOMEM;
    memcpy(pair->text, alias->text, alias->len);
    memcpy(pair->text + alias->len, user->text, user->len);
    pair->alias_len = alias->len;
    pair->user_len = user->len;
    names->len++;
    return SIPD_OK;
}

static int
group_read(const struct names_conf *conf, struct names *out, struct span *bad)
{
    struct user_id user, alias;

    *bad = conf->user;
    if (!id_read(conf->user, &user))
        return SIPD_EINVAL;
    for (size_t i = 0; i < conf->as.len; i++) {
        *bad = conf->as.at[i];
        if (!id_read(conf->as.at[i], &alias))
            return SIPD_EINVAL;
        if (pair_add(out, &alias, &user) != SIPD_OK)
            return SIPD_ENOMEM;
    }
    return SIPD_OK;
}

int
names_read(const struct sipd_groups *groups, struct names *out, struct span *bad)
{
    const struct names_conf *confs = groups->at;
    size_t total = 0;
    int err = SIPD_OK;

    *out = (struct names){ 0 };
    for (size_t i = 0; i < groups->len; i++)
        total += confs[i].as.len;
    if (total == 0 && groups->len == 0)
        return SIPD_OK;
    out->at = sipd_alloc((total + 1) * sizeof *out->at);
    if (!out->at)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < groups->len && err == SIPD_OK; i++)
        err = group_read(&confs[i], out, bad);
    if (err != SIPD_OK)
        names_fini(out);
    else if (out->len > 1)
        qsort(out->at, out->len, sizeof *out->at, by_both);
    return err;
}

void
names_fini(struct names *names)
{
    for (size_t i = 0; i < names->len; i++)
        sipd_free(names->at[i].text);
    sipd_free(names->at);
    *names = (struct names){ 0 };
}

/* Where this pair stands, or would. */
static size_t
place_of(const struct names *names, struct span alias, struct span user)
{
    size_t low = 0, high = names->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct names_pair *pair = &names->at[middle];
        int order = span_order(alias, alias_of(pair));

        if (order == 0)
            order = span_order(user, user_of(pair));
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Whose alias stands at that place; empty: another's. */
static struct span
user_at(const struct names *names, size_t place, struct span alias)
{
    if (place == names->len || !span_eq(alias_of(&names->at[place]), alias))
        return SPAN("");
    return user_of(&names->at[place]);
}

bool
names_have(const struct names *names, struct span user, struct span alias)
{
    struct span found = user_at(names, place_of(names, alias, user), alias);

    return found.len > 0 && span_eq(found, user);
}

struct span
names_user(const struct names *names, struct span alias)
{
    return user_at(names, place_of(names, alias, SPAN("")), alias);
}
