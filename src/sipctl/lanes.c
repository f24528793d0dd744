/*
 * The columns of a ladder. A peer is an address and a transport.
 */
#include "sipctl/lanes.h"

#include <string.h>

#include "sipctl/text.h"

enum { GAP_LEAST = 12, GAP_MOST = 30 };

void
lanes_init(struct lanes *lanes, size_t from, size_t to)
{
    *lanes = (struct lanes){ .len = 0 };
    lanes_fit(lanes, from, to);
}

bool
lanes_are_none(const struct lanes *lanes)
{
    return lanes->most == 0;
}

static void
remove_peer(struct lanes *lanes, size_t peer)
{
    lanes->left -= lanes->peers[peer].left;
    lanes->len--;
    memmove(&lanes->peers[peer], &lanes->peers[peer + 1],
            (lanes->len - peer) * sizeof lanes->peers[0]);
}

static size_t
most_silent(const struct lanes *lanes)
{
    size_t found = 0;

    for (size_t i = 1; i < lanes->len; i++)
        if (lanes->peers[i].heard < lanes->peers[found].heard)
            found = i;
    return found;
}

void
lanes_fit(struct lanes *lanes, size_t from, size_t to)
{
    size_t room = to > from ? to - from : 0;

    lanes->from = from;
    lanes->to = to;
    lanes->most = room / GAP_LEAST < LANES_MAX ? room / GAP_LEAST : LANES_MAX;
    while (lanes->len > lanes->most)
        remove_peer(lanes, most_silent(lanes));
}

static void
name_lane(struct lane *lane, const struct event *event)
{
    struct buf text;

    *lane = (struct lane){ .left = event->is_request != event->is_sent };
    buf_init(&text, 4096);
    text_put(&text, span_head(event->peer, LANE_NAME_BYTES - 1));
    if (text.len > 0)
        memcpy(lane->name, text.bytes, text.len);
    buf_clear(&text);
    text_put(&text, span_head(event->transport, sizeof lane->transport - 1));
    if (text.len > 0)
        memcpy(lane->transport, text.bytes, text.len);
    buf_fini(&text);
}

static size_t
add_peer(struct lanes *lanes, const struct lane *lane)
{
    size_t at;

    if (lanes->len == lanes->most)
        remove_peer(lanes, most_silent(lanes));
    at = lane->left ? lanes->left : lanes->len;
    memmove(&lanes->peers[at + 1], &lanes->peers[at], (lanes->len - at) * sizeof lanes->peers[0]);
    lanes->peers[at] = *lane;
    lanes->len++;
    lanes->left += lane->left;
    return at;
}

/* Is there a place, or one that nobody needs now? */
static bool
has_room(const struct lanes *lanes)
{
    return lanes->len < lanes->most ||
           (lanes->most > 0 && lanes->uses - lanes->peers[most_silent(lanes)].heard > LANES_SILENT);
}

int
lanes_of(struct lanes *lanes, const struct event *event, bool *is_new)
{
    struct lane wanted;
    size_t at = 0;

    name_lane(&wanted, event);
    while (at < lanes->len && (strcmp(lanes->peers[at].name, wanted.name) != 0 ||
                               strcmp(lanes->peers[at].transport, wanted.transport) != 0))
        at++;
    lanes->uses++;
    *is_new = at == lanes->len && has_room(lanes);
    if (at == lanes->len && !*is_new)
        return LANES_NONE;
    if (*is_new)
        at = add_peer(lanes, &wanted);
    lanes->peers[at].heard = lanes->uses;
    return (int)at;
}

size_t
lanes_gap(const struct lanes *lanes)
{
    size_t gap = lanes->len > 0 ? (lanes->to - lanes->from) / lanes->len : 0;

    return gap < GAP_MOST ? gap : GAP_MOST;
}

size_t
lanes_sipd(const struct lanes *lanes)
{
    return lanes->from + lanes->left * lanes_gap(lanes);
}

size_t
lanes_place(const struct lanes *lanes, size_t peer)
{
    return lanes->from + (peer + (peer >= lanes->left)) * lanes_gap(lanes);
}
