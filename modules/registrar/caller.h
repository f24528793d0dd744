/*
 * Whose device a caller says that it is: a Contact that is a GRUU (RFC 5627 §6.1).
 */
#ifndef REGISTRAR_CALLER_H
#define REGISTRAR_CALLER_H

#include "registrar.h"

/*
 * Would this request begin a dialog whose Contact is a GRUU of one of our users other than the sender, who proved to be
 * someone? What comes within the dialog would go to that other one's device.
 */
bool caller_borrows(const struct registrar *r, const struct sipd_req *req);

#endif
