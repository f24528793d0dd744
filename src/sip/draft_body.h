/*
 * Named edits of a body: parts added, taken out and replaced, every other byte as it came (RFC 2046 §5.1, RFC 5621,
 * RFC 3261 §7.4).
 *
 * They edit the part at hand in a walk over the body of the draft's message (mime_walk_msg). Content-Length, where it
 * is there, tells the new length in the end. New bytes are copied into the draft's arena as they are. What they must
 * not hold is a delimiter of a multipart that they will stand in: SIPD_EINVAL. An edit that changes nothing is none.
 */
#ifndef SIP_DRAFT_BODY_H
#define SIP_DRAFT_BODY_H

#include "sip/draft.h"
#include "sip/mime.h"

/*
 * A part as it stands between delimiters: its Content-Type, its Content-Disposition unless that is empty, and what it
 * holds. In the draft's arena; empty when memory is out.
 */
struct span draft_part(struct draft *d, struct span type, struct span disposition,
                       struct span content);

/* What the part at hand holds becomes other bytes; its fields stay. At level 0 that is the body. */
void draft_set_content(struct draft *d, const struct mime_walk *w, struct span content);
/*
 * The part at hand, fields and all, becomes another (draft_part(), or any such bytes). Level 0 has no such part:
 * SIPD_ENOENT.
 */
void draft_set_part(struct draft *d, const struct mime_walk *w, struct span part);
/*
 * The part at hand goes, with a delimiter; what was the only part leaves an empty multipart. At level 0 the body and
 * its fields go. The last part of a multipart that nobody closed takes the line end before it along, so it clashes
 * with the going of its neighbour.
 */
void draft_drop_part(struct draft *d, const struct mime_walk *w);
/* Another part before the one at hand (SIPD_ENOENT at level 0). */
void draft_insert_part(struct draft *d, const struct mime_walk *w, struct span part);
/*
 * Another part behind the last one of the multipart at hand (SIPD_ENOENT: it is none, or its head never ends). An
 * open end stays open.
 */
void draft_append_part(struct draft *d, const struct mime_walk *w, struct span part);

/*
 * A body that is no multipart, or not to be touched, becomes the first part of a multipart/mixed, `part` the second:
 * the message's Content- fields but for Content-Length go along with it. SIPD_ENOENT: there is no body. Not with
 * other edits of the body.
 */
void draft_wrap_body(struct draft *d, struct span part);
/*
 * The body becomes another, of this type; the Content- fields of the old one go. Type empty: no body. Not with other
 * edits of it.
 */
void draft_set_body(struct draft *d, struct span type, struct span body);

/* Bytes of the body as it will be. */
size_t draft_body_len(const struct draft *d);

#endif
