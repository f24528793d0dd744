/*
 * Two clocks compared: one that may be set, and one that never goes back (nor stands still while the machine sleeps, so sleep is
 * no step).
 */
#include "steady.h"

#include <sipd/err.h>

#define MS 1000

static int64_t
seconds(uint64_t ms)
{
    return (int64_t)(ms / MS);
}

static void
start(struct steady *steady, int64_t step_s, uint64_t now_ms, int64_t wall_s)
{
    steady->base_s = wall_s - step_s - seconds(now_ms);
    steady->step_s = steady->told_s = step_s;
}

void
steady_init(struct steady *steady, uint64_t now_ms, int64_t wall_s)
{
    *steady = (struct steady){ .known = false };
    start(steady, 0, now_ms, wall_s);
}

/* How long nobody watched is not known then: time goes on from the last write. */
void
steady_begin(struct steady *steady, const struct store_time *written, bool doubted, uint64_t now_ms,
             int64_t wall_s)
{
    int64_t back_s = written->wall_s - wall_s;

    steady->known = true;
    steady->unsure = false;
    steady->kept_s = written->step_s;
    start(steady, doubted ? written->step_s - back_s : written->step_s, now_ms, wall_s);
}

int64_t
steady_at(const struct steady *steady, uint64_t at_ms)
{
    return steady->base_s + seconds(at_ms);
}

/* What comes a little at a time is gathered: there is no telling it from a step that is long in coming. */
void
steady_look(struct steady *steady, uint64_t now_ms, int64_t wall_s)
{
    int64_t off_s = wall_s - steady_at(steady, now_ms) - steady->step_s;

    if (off_s > STEADY_SLACK_S || off_s < -STEADY_SLACK_S)
        steady->step_s += off_s;
}

/* The two clocks are not read in one instant, so a step may be seen that is none and is taken back in the next turn. */
int64_t
steady_news(struct steady *steady)
{
    int64_t news_s = steady->step_s - steady->told_s;

    if (news_s >= -STEADY_SLACK_S && news_s <= STEADY_SLACK_S)
        return 0;
    steady->told_s = steady->step_s;
    return news_s;
}

/* Another write than ours may tell the file what is taken back before it is asked here. 0 would mean that no time is known. */
struct store_time
steady_time(struct steady *steady, uint64_t now_ms, int64_t wall_s)
{
    steady_look(steady, now_ms, wall_s);
    steady->unsure = steady->unsure || steady->step_s != steady->kept_s;
    return (struct store_time){ wall_s != 0 ? wall_s : 1, steady->step_s };
}

void
steady_step(struct steady *steady, const struct store_ops *ops, void *store)
{
    int answer;

    if (!steady->known || steady->under_way ||
        (steady->step_s == steady->kept_s && !steady->unsure))
        return;
    steady->write = (struct store_write){ .id = STEADY_ID };
    steady->under_way = true;
    answer = ops->write(store, &steady->write); /* which has asked for the time */
    steady->unsure = false;
    if (answer != STORE_LATER)
        steady_written(steady, answer);
}

void
steady_written(struct steady *steady, int err)
{
    steady->under_way = false;
    if (err == SIPD_OK)
        steady->kept_s = steady->write.at.step_s;
    else
        steady->unsure = true;
}
