/*
 * Everything a module says to the server: who it is, its settings, its hooks, offers and commands.
 *
 * A module is one const struct sipd_module per .so. load() registers everything; the host undoes each registration at
 * unload. A module has no mutable static: several hosts live in one process. Hooks run on the loop and never block; what a
 * hook is handed is lent until it returns, and across turns one keeps ids.
 */
#ifndef SIPD_MODULE_H
#define SIPD_MODULE_H

#include <sipd/addr.h>
#include <sipd/conf.h>
#include <sipd/digest.h>
#include <sipd/err.h>
#include <sipd/fact.h>
#include <sipd/hop.h>
#include <sipd/mime.h>
#include <sipd/param.h>
#include <sipd/reply.h>
#include <sipd/request.h>
#include <sipd/resolve.h>
#include <sipd/span.h>
#include <sipd/tel.h>
#include <sipd/uri.h>

#define SIPD_ABI 7u /* rises with every change that an old .so would not survive */

struct sipd_host;

enum sipd_stage {
    SIPD_ON_REQUEST, /* a request passed the checks of RFC 3261 §16.3: answer it, challenge it, or let it pass */
    SIPD_ON_TARGETS, /* it is for a domain of ours: who shall get it (§16.5)? PASS after adding: later hooks see the set */
    SIPD_ON_BRANCH,  /* one branch is about to be sent: sipd_req_target() is its target */
    SIPD_ON_RESPONSE, /* a response other than 100 came on a branch */
    SIPD_ON_REPLY,    /* a response is about to go up */
    SIPD_STAGES
};

enum sipd_verdict {
    SIPD_PASS, /* not mine: ask the next module */
    SIPD_DONE, /* mine: answered, or the target set is complete */
    SIPD_WAIT, /* mine, later: I hold sipd_req_id() and call sipd_resume(); ON_REQUEST and ON_TARGETS only */
    SIPD_FAIL /* I broke: the core answers 500 */
};

/* A hook. Lent: req, until return. After sipd_resume() the hook that said SIPD_WAIT is called again with the same request. */
typedef enum sipd_verdict sipd_hook_fn(struct sipd_req *req, void *self);

struct sipd_module {  /* one const per .so, written with SIPD_MODULE(...) */
    uint32_t abi;     /* SIPD_ABI; any other number is refused at load */
    const char *name; /* also its section of sipd.conf */
    /* schema, ended by SIPD_CONF_END; NULL: no settings */
    const struct sipd_conf_item *conf;
    size_t conf_bytes; /* size of the struct the schema fills */
    /* Registers everything. SIPD_OK or an error; what went wrong is said with sipd_complain(). conf: until reload/unload. */
    int (*load)(struct sipd_host *host, const void *conf, void **self);
    /* Takes new settings: SIPD_OK, SIPD_ERESTART (declined), or another error; the old ones then stay. NULL: declined when
       they differ. conf lives until the next reload has returned. */
    int (*reload)(void *self, const void *conf);
    /* Ends what load() made beyond the host's own registrations and sipd_new() memory. NULL: nothing. */
    void (*unload)(void *self);
};

#define SIPD_MODULE(...)                                                                \
    __attribute__((visibility("default"))) extern const struct sipd_module sipd_module; \
    const struct sipd_module sipd_module = { .abi = SIPD_ABI, __VA_ARGS__ }

#pragma GCC visibility push(default)

/* Zeroed memory that the host ends after unload; NULL when memory is out. */
void *sipd_new(struct sipd_host *host, size_t bytes);
/* Memory that the module ends itself: zeroed / resized / freed. As base/mem.h. */
void *sipd_alloc(size_t bytes);
void *sipd_realloc(void *block, size_t bytes);
void sipd_free(void *block);
/*
 * How many pages of files that are mapped into memory, as databases do, could not be had from their files (cut short, a disk that
 * is gone). Each is one of zeros instead: what was done with a mapping while this rose is not to be believed. Any thread may ask,
 * and none may block SIGBUS.
 */
uint64_t sipd_lost_pages(void);
/*
 * Says in words why load() or reload() fails, and what would be right, after "; ". Words that begin with a key of the schema, as
 * "rules[1].from: …", are shown with the file, the line and the whole name of that key; others with the section's. In a trial,
 * said by a load() that succeeds, it is a warning.
 */
void sipd_complain(struct sipd_host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Is this a trial (sipd -t, reload --dry-run): is load() called to hear its complaints, and unload() right after? It then makes
 * no file, thread or connection and writes nothing.
 */
bool sipd_is_trial(struct sipd_host *host);

/* Calls fn at this stage, low orders first. SIPD_EEXIST if another hook has the same order there. */
int sipd_hook(struct sipd_host *host, enum sipd_stage stage, int order, sipd_hook_fn *fn,
              void *self);

/* The request goes on: the hook that said SIPD_WAIT is called again, in this turn, after return. A stale id is ignored. */
void sipd_resume(struct sipd_host *host, uint64_t req_id);

/* What a command was asked and what it answers. */
struct sipd_ask {
    /* what stood for each <name> of the pattern, in order; lent until return */
    const struct span *words;
    size_t words_len;
    struct span input; /* bytes sent along (a password); empty: none */
    struct span by;    /* "uid 0": who asked */
};
struct sipd_answer;
/*
 * Answers are rows of named fields, so that the same call makes a table for people and JSON for programs:
 * row, then field …, row, field …; end with nothing. A command that cannot do what was asked calls sipd_answer_refuse().
 */
void sipd_answer_row(struct sipd_answer *answer);
void sipd_answer_field(struct sipd_answer *answer, const char *name, struct span value);
void sipd_answer_number(struct sipd_answer *answer, const char *name, int64_t value);
void sipd_answer_refuse(struct sipd_answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The command answers later (a write is under way): the id to give to sipd_answer_find(), in any later turn. */
uint64_t sipd_answer_later(struct sipd_answer *answer);
/* The answer that was put off; NULL when its asker has gone. sipd_answer_send() ends it. */
struct sipd_answer *sipd_answer_find(struct sipd_host *host, uint64_t answer_id);
void sipd_answer_send(struct sipd_answer *answer);

typedef void sipd_command_fn(void *self, const struct sipd_ask *ask, struct sipd_answer *answer);
/*
 * Declares a command as it is typed: "show bindings [aor]", "add user <name> [--password-stdin]". <x> is a word, [x] an optional
 * last word, anything else is literal. changes: it alters something (logged with who asked). SIPD_EEXIST: taken.
 */
int sipd_command(struct sipd_host *host, const char *pattern, const char *doc, bool changes,
                 sipd_command_fn *fn, void *self);

/* Is there such a user? aor: as uri_aor_write makes it. Asked when a user of ours has no target: 480 if so, else 404. */
typedef bool sipd_users_fn(void *self, struct span aor);
int sipd_offer_users(struct sipd_host *host, sipd_users_fn *fn, void *self);

/*
 * A URI scheme that the module understands. sip and sips are the server's own; a request for any other is carried by
 * its Routes, and refused with 416 where none is left, unless its scheme was offered (RFC 3261 §16.3 step 2).
 */
struct sipd_scheme_ops {
    /* Are two URIs of this scheme the same? NULL: as uri_eq() has it. Lent: both. */
    bool (*eq)(void *self, const struct uri *a, const struct uri *b);
    /*
     * A request for such a URI, with no Route left, and after ON_REQUEST: where to? sipd_req_set_uri() with a SIP URI:
     * on with that as if it had been asked for; sipd_req_add_target(): there; sipd_reply(): refused. None of these: 404,
     * or 480 if somebody knows such a user. Verdicts are a hook's. Asked about the ACK of a 2xx, too. NULL: always 404.
     */
    sipd_hook_fn *target;
};
/*
 * Offers a scheme, without case ("tel"). Lent: ops, until unload. SIPD_EEXIST, SIPD_EINVAL (sip, sips, or no name),
 * SIPD_ENOMEM.
 */
int sipd_offer_scheme(struct sipd_host *host, struct span scheme, const struct sipd_scheme_ops *ops,
                      void *self);
/* uri_eq(), but by the rule of the module that offered their scheme. */
bool sipd_uri_eq(struct sipd_host *host, const struct uri *a, const struct uri *b);

/*
 * A header field that the module looks after: what is known to come wrong in it is mended before anybody reads it, in
 * requests and responses. sipd.conf's repair.module says whether that may be; a fix is counted and logged as any other.
 */
struct sipd_field {
    struct span name, value;  /* as they came, foldings included; lent until return */
    struct span method;       /* of the request, or of the CSeq in a response */
    unsigned status;          /* of a response; 0: a request */
    const struct hop *source; /* whence it came */
    /* to be set for SIPD_FIX_VALUE; copied at return, its line ends made blanks */
    struct span better;
};
enum sipd_fix {
    SIPD_FIX_NONE,  /* nothing is wrong */
    SIPD_FIX_VALUE, /* it should be field->better */
    SIPD_FIX_DROP,  /* the field should go */
    SIPD_FIX_REFUSE /* it cannot be mended: 400, naming the field */
};
typedef enum sipd_fix sipd_fixer_fn(struct sipd_field *field, void *self);
/*
 * Offers to look after a field, by its name without case; compact forms are included. The same value must get the same
 * answer: it is asked for more than once. SIPD_EEXIST: another module does; SIPD_EINVAL: no name, or Via or
 * Content-Length, which say where answers go and messages end, and are never mended; SIPD_ENOMEM.
 */
int sipd_offer_fixer(struct sipd_host *host, struct span name, sipd_fixer_fn *fn, void *self);

/* Runs fn(self, arg) once, delay_ms from now on the host's clock. Returns an id for sipd_timer_cancel(), 0 on failure. */
typedef void sipd_timer_fn(void *self, uint64_t arg);
uint64_t sipd_timer(struct sipd_host *host, uint64_t delay_ms, sipd_timer_fn *fn, void *self,
                    uint64_t arg);
void sipd_timer_cancel(struct sipd_host *host, uint64_t timer_id);

/* What a descriptor is watched for, and is ready for: to be read (or it has ended), to be written. */
enum { SIPD_FD_READ = 1, SIPD_FD_WRITE = 2 };
typedef void sipd_fd_fn(void *self, int fd, unsigned ready);
/*
 * Runs fn(self, fd, ready) in a turn whenever the descriptor is ready for what it is watched for. The module owns it, makes it
 * non-blocking, and ends the watch before it closes it: what 0. Asked again for the same descriptor: the new ones hold.
 * SIPD_ENOMEM, SIPD_ECLOSED (there is no loop, as in a trial).
 */
int sipd_fd(struct sipd_host *host, int fd, unsigned what, sipd_fd_fn *fn, void *self);

/* Runs fn(self, arg) on the loop in the next turn. The one call another thread may make. Never runs after unload. */
typedef void sipd_post_fn(void *self, void *arg);
int sipd_post(struct sipd_host *host, sipd_post_fn *fn, void *self, void *arg);

/* Milliseconds on a clock that never goes back, and seconds since 1970; both constant within a turn. */
uint64_t sipd_now_ms(struct sipd_host *host);
int64_t sipd_wall_s(struct sipd_host *host);
/* 64 random bits (seeded in tests); not for secrets. */
uint64_t sipd_random(struct sipd_host *host);
/* A 128-bit secret for one named use, derived from sipd.key: the same after a restart and on a node that shares the key. */
void sipd_secret(struct sipd_host *host, struct span use, uint8_t key[16]);
/* SipHash-2-4-128 of bytes under a 128-bit key. */
void sipd_prf(const uint8_t key[16], struct span bytes, uint8_t out[16]);
/* SipHash-1-3 of bytes under a 128-bit key: for hash tables of one's own, not for others to see, nor to be kept. */
uint64_t sipd_hash(const uint8_t key[16], struct span bytes);
/* A counter's cell, made at 0; never NULL; ++*cell counts. Lent until unload. */
uint64_t *sipd_counter(struct sipd_host *host, const char *name);
/* A log line: event word, then pairs of key and value (NUL-terminated), then NULL. level 0 error … 3 debug. */
void sipd_log(struct sipd_host *host, int level, const char *event, ...) __attribute__((sentinel));

/* Is this domain one of ours (sipd.conf domains, listen and advertise addresses; port 0 or one we listen on)? */
bool sipd_is_ours(struct sipd_host *host, struct span domain, uint16_t port);
/* The n-th of sipd.conf's domains; an empty span past the end. Lent until the next reload. */
struct span sipd_domain(struct sipd_host *host, size_t n);
/* A path of the configuration: as it is when absolute, else under state_dir. Writes it with a NUL; SIPD_ETOOBIG. */
int sipd_path(struct sipd_host *host, struct span path, char *to, size_t room);
/* The listener's text ("udp:192.0.2.1:5060") for a number, and back (0: none such now); for stores. */
struct span sipd_listener_text(struct sipd_host *host, uint16_t listener);
uint16_t sipd_listener_find(struct sipd_host *host, struct span text);

#pragma GCC visibility pop

#endif
