/*
 * The one way in from another thread: calls that run in the next turn.
 *
 * Threads push on a stack with one compare-and-swap; the loop takes all of it and runs the oldest
 * first. No lock, so no thread can hold one while it waits for a disk (house rule 16).
 */
#include "net/post.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/state.h"
#include "net/turn.h"

struct post {
    struct post *next; /* pushed before this one; once taken: after it */
    void (*fn)(void *arg);
    void *arg;
};

int
net_post(struct net *net, void (*fn)(void *arg), void *arg)
{
    struct posts *posts = &net->posts;
    struct post *post = mem_new(sizeof *post), *before;
    uint64_t one = 1;

    if (!post)
        return SIPD_ENOMEM;
    post->fn = fn;
    post->arg = arg;
    before = atomic_load_explicit(&posts->newest, memory_order_relaxed);
    do
        post->next = before;
    while (!atomic_compare_exchange_weak_explicit(&posts->newest, &before, post,
                                                  memory_order_release, memory_order_relaxed));
    /* From here on post may have run and ended. Who found others before has nobody to wake. */
    if (!before)
        while (write(posts->fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
    return SIPD_OK;
}

/* All that was pushed, oldest first. */
static struct post *
take_all(struct posts *posts)
{
    struct post *post = atomic_exchange_explicit(&posts->newest, NULL, memory_order_acquire);
    struct post *oldest = NULL;

    for (struct post *next; post; post = next) {
        next = post->next;
        post->next = oldest;
        oldest = post;
    }
    return oldest;
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
    struct net *net = arg;
    uint64_t pushes;
    ssize_t len = read(fd, &pushes, sizeof pushes);

    (void)len; /* emptied before the stack is taken: who pushes later wakes us again */
    (void)what;
    turn_begin(net);
    for (struct post *post = take_all(&net->posts), *next; post; post = next) {
        next = post->next;
        post->fn(post->arg);
        mem_free(post);
    }
}

int
posts_init(struct net *net)
{
    struct posts *posts = &net->posts;

    posts->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (posts->fd < 0)
        return SIPD_EIO;
    event_assign(&posts->readable, net->base, posts->fd, EV_READ | EV_PERSIST, readable, net);
    return event_add(&posts->readable, NULL) == 0 ? SIPD_OK : SIPD_ENOMEM;
}

void
posts_fini(struct posts *posts)
{
    for (struct post *post = take_all(posts), *next; post; post = next) {
        next = post->next;
        mem_free(post);
    }
    if (posts->fd < 0)
        return;
    event_del(&posts->readable);
    close(posts->fd);
    posts->fd = -1;
}
