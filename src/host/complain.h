/*
 * Complaints about modules: file, line and key, then the words.
 */
#ifndef HOST_COMPLAIN_H
#define HOST_COMPLAIN_H

#include "host/host.h"

/* About a module as the list has it: sipd.conf:5: modules[1]: "none": words. Lent: all. */
void complain_listed(const struct host_source *source, struct span name, struct buf *why,
                     const char *words);
/*
 * What a module says of itself. Words that begin with a key of its schema, as "rules[1].from: is no URI", are about that
 * key: sipd.conf:7: redirect.rules[1].from: is no URI. Where it is not written, its section's line stands, or that of the list.
 * Lent: all.
 */
void complain_own(const struct host_source *source, const struct sipd_module *is, struct buf *why,
                  const char *words);

#endif
