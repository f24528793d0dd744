/*
 * What another thread wants done on the loop: a list under a lock that is held for a few pointers, and one wake for all.
 */
#include "base/mem.h"
#include "host/state.h"

static const struct sipd_host *
find_module(const struct host *host, uint64_t id)
{
    for (const struct list *node = host->modules.next; node != &host->modules; node = node->next) {
        const struct sipd_host *module = container_of_const(node, struct sipd_host, link);

        if (module->id == id)
            return module;
    }
    return NULL;
}

/* A module that has been unloaded since is not found by its number, and its posts come to nothing. */
static void
run(void *arg)
{
    struct host *host = arg;
    struct list mine;
    struct list *node;

    list_init(&mine);
    pthread_mutex_lock(&host->post_lock);
    host->posts_told = false;
    list_join(&mine, &host->posts);
    pthread_mutex_unlock(&host->post_lock);
    while ((node = list_shift(&mine))) {
        struct post post = *container_of(node, struct post, link);

        mem_free(container_of(node, struct post, link));
        if (find_module(host, post.module))
            post.fn(post.self, post.arg);
    }
}

/* The loop could not be woken: the post is taken back, unless the loop has it by another's wake. */
static int
take_back(struct host *h, struct post *post, int err)
{
    pthread_mutex_lock(&h->post_lock);
    h->posts_told = false; /* whoever posts next tries again */
    for (struct list *node = h->posts.next; node != &h->posts; node = node->next)
        if (node == &post->link) {
            list_remove(node);
            mem_free(post);
            pthread_mutex_unlock(&h->post_lock);
            return err;
        }
    pthread_mutex_unlock(&h->post_lock);
    return SIPD_OK;
}

/* The loop is woken without the lock: it would come and wait for it. */
int
sipd_post(struct sipd_host *host, sipd_post_fn *fn, void *self, void *arg)
{
    struct host *h = host->host;
    struct post *post;
    bool told;
    int err;

    if (!h->ports.post || sipd_is_trial(host))
        return SIPD_ECLOSED;
    post = mem_new(sizeof *post);
    if (!post)
        return SIPD_ENOMEM;
    *post = (struct post){ .module = host->id, .fn = fn, .self = self, .arg = arg };
    pthread_mutex_lock(&h->post_lock);
    told = h->posts_told;
    h->posts_told = true;
    list_push(&h->posts, &post->link);
    pthread_mutex_unlock(&h->post_lock);
    if (told)
        return SIPD_OK;
    err = h->ports.post(h->ports.io, run, h);
    return err == SIPD_OK ? SIPD_OK : take_back(h, post, err);
}

void
posts_drop(struct host *host)
{
    struct list *node;

    pthread_mutex_lock(&host->post_lock);
    while ((node = list_shift(&host->posts)))
        mem_free(container_of(node, struct post, link));
    pthread_mutex_unlock(&host->post_lock);
}
