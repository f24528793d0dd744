/*
 * The store that keeps nothing: bindings live as long as the process.
 */
#include "store.h"

#include <sipd/module.h>

static int
ram_look(const struct store_port *port, const char *path)
{
    (void)port;
    (void)path;
    return SIPD_OK;
}

static int
ram_open(const struct store_port *port, const char *path, void **store)
{
    (void)port;
    (void)path;
    *store = NULL;
    return SIPD_OK;
}

static int
ram_read(void *store, uint64_t id)
{
    (void)store;
    (void)id;
    return STORE_NOW;
}

static int
ram_write(void *store, struct store_write *write)
{
    (void)store;
    write->err = SIPD_OK;
    return STORE_NOW;
}

static void
ram_close(void **store)
{
    *store = NULL;
}

const struct store_ops store_ram_ops = {
    .forgets = true,
    .look = ram_look,
    .open = ram_open,
    .read = ram_read,
    .write = ram_write,
    .close = ram_close,
};
