/*
 * Changes worth having on another machine: shown in order to whoever watches, at once and by nobody asking whether.
 */
#include "host/state.h"

uint64_t
host_note(struct host *host, const struct fact *fact)
{
    return host->ports.note ? host->ports.note(host->ports.io, fact) : 0;
}

uint64_t
sipd_note(struct sipd_host *host, const char *kind, uint32_t version, uint64_t id,
          struct span bytes)
{
    struct fact fact = { .kind = kind, .version = version, .id = id, .bytes = bytes };

    return host_note(host->host, &fact);
}
