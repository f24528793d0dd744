/*
 * Our misfortunes: the one error enum.
 *
 * A peer's fault is never one of these (that is a status), nor is a bug of ours.
 */
#ifndef SIPD_ERR_H
#define SIPD_ERR_H

enum sipd_err {
    SIPD_OK = 0,
    SIPD_ENOMEM = -1,    /* memory is out, or a ceiling on it was reached */
    SIPD_ETOOBIG = -2,   /* larger than the configured limit */
    SIPD_ESYNTAX = -3,   /* not what its grammar allows */
    SIPD_ENOENT = -4,    /* no such thing */
    SIPD_EEXIST = -5,    /* there is one already */
    SIPD_EFULL = -6,     /* a table or queue is at its ceiling */
    SIPD_ECLASH = -7,    /* two edits of a message overlap */
    SIPD_EIO = -8,       /* the system refused; errno told why at that moment */
    SIPD_EINVAL = -9,    /* a setting or argument out of bounds */
    SIPD_ERESTART = -10, /* a reload cannot take this change, a restart can */
    SIPD_ECLOSED = -11,  /* the connection or the service is gone */
    SIPD_EABI = -12,     /* the module was built for another sipd */
};

#pragma GCC visibility push(default)
/* The words for an error, for logs. Never NULL. Lent for ever. */
const char *err_words(int err);
#pragma GCC visibility pop

#endif
