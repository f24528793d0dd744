/*
 * The words of our misfortunes.
 */
#include "base/err.h"

const char *
err_words(int err)
{
    switch ((enum sipd_err)err) {
    case SIPD_OK: return "no error";
    case SIPD_ENOMEM: return "out of memory";
    case SIPD_ETOOBIG: return "too big";
    case SIPD_ESYNTAX: return "bad syntax";
    case SIPD_ENOENT: return "not found";
    case SIPD_EEXIST: return "exists already";
    case SIPD_EFULL: return "full";
    case SIPD_ECLASH: return "edits overlap";
    case SIPD_EIO: return "system error";
    case SIPD_EINVAL: return "invalid value";
    case SIPD_ERESTART: return "needs a restart";
    case SIPD_ECLOSED: return "closed";
    case SIPD_EABI: return "built for another sipd";
    }
    return "unknown error";
}
