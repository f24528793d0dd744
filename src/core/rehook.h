/*
 * The chain changes while requests wait in it: places move, and who waited for a hook that goes is answered.
 */
#ifndef CORE_REHOOK_H
#define CORE_REHOOK_H

#include "core/core.h"

/* As chain_add; requests that wait behind the new hook's place go on behind it. */
int rehook_add(struct core *core, enum sipd_stage stage, const struct chain_hook *hook) MUST_USE;
/* As chain_remove; requests that wait for a hook of this owner get 503. */
void rehook_remove(struct core *core, const void *owner);

#endif
