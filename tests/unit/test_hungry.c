/*
 * Who waits for the next turn is called in it, who waits longest first; who was just served comes last.
 */
#include "net/hungry.h"

#include <check.h>
#include <event2/event.h>

#include "base/def.h"

Suite *suite_hungry(void);

enum { MOST = 4 };

static struct eater {
    struct hungry hungry;
    struct event event;
} eaters[MOST];

static struct hungries hungries;
static struct event_base *base;
static char called[64];

static void
be_called(evutil_socket_t fd, short what, void *arg)
{
    const struct eater *eater = arg;
    size_t len = strlen(called);

    (void)fd;
    called[len] = (char)('a' + (eater - eaters));
    called[len + 1] = what & EV_WRITE ? 'w' : 'r';
}

static void
begin(void)
{
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
    hungries_init(&hungries);
    for (size_t i = 0; i < MOST; i++) {
        hungry_init(&eaters[i].hungry);
        event_assign(&eaters[i].event, base, -1, EV_READ | EV_PERSIST, be_called, &eaters[i]);
    }
}

static void
end(void)
{
    event_base_free(base);
}

static void
wait_from(char name, uint64_t turn_ns)
{
    struct eater *eater = &eaters[name - 'a'];

    hungry_wait(&hungries, &eater->hungry, &eater->event, EV_READ, turn_ns);
}

static void
serve(char name, uint64_t turn_ns)
{
    hungry_serve(&eaters[name - 'a'].hungry, turn_ns);
}

static void
expect_calls(const char *text, uint64_t since_ns)
{
    memset(called, 0, sizeof called);
    ck_assert_uint_eq(hungries_call(&hungries), since_ns);
    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    ck_assert_str_eq(called, text);
}

START_TEST(who_was_served_comes_after_who_was_not)
{
    serve('a', 10);
    wait_from('a', 10);
    wait_from('b', 10);
    wait_from('c', 10);
    expect_calls("brcrar", 10);
    serve('b', 20);
    wait_from('b', 20);
    wait_from('c', 20);
    wait_from('a', 20);
    expect_calls("crarbr", 10); /* c waits since then */
    serve('c', 30);
    serve('a', 30);
    wait_from('b', 30);
    expect_calls("br", 20);
    expect_calls("", UINT64_MAX);
}
END_TEST

START_TEST(who_waits_already_waits_once)
{
    struct eater *a = &eaters[0];

    wait_from('a', 10);
    hungry_wait(&hungries, &a->hungry, &a->event, EV_WRITE, 10);
    expect_calls("aw", 10);
}
END_TEST

START_TEST(who_has_ended_is_not_called)
{
    wait_from('a', 10);
    wait_from('b', 10);
    hungry_end(&eaters[0].hungry);
    hungry_end(&eaters[3].hungry);
    expect_calls("br", 10);
}
END_TEST

Suite *
suite_hungry(void)
{
    Suite *s = suite_create("hungry");
    TCase *c = tcase_create("turns");

    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, who_was_served_comes_after_who_was_not);
    tcase_add_test(c, who_waits_already_waits_once);
    tcase_add_test(c, who_has_ended_is_not_called);
    suite_add_tcase(s, c);
    return s;
}
