/*
 * Programs that a live test starts: each with its output in a file, waited for by what it says, ended with the test.
 */
#ifndef LIVE_PROC_H
#define LIVE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
    pid_t pid;     /* 0: not running */
    int status;    /* as waitpid() tells, once it has ended */
    char log[256]; /* its standard output and error */
};

/*
 * How long a test waits for what must happen, whatever else the machine does; it goes on at once when it happens. Waits for what
 * must not happen are short and each test's own.
 */
enum { PROC_PATIENCE_MS = 60000 };

/*
 * Before any test: a network of our own where this user may have one, whose ports nobody takes, and which has an IPv6, whatever
 * those of the machine are like. Files are for all to read, whatever the umask was; no service manager hears of our servers.
 */
void proc_begin(void);

/* A folder of the test's own, made once and emptied at exit. Lent for ever. */
const char *proc_dir(void);
/* Where the output of the program of this name goes. Lent until the next call. */
const char *proc_log(const char *name);
/* Writes a file beneath proc_dir(), folders too. Returns its path, lent until the next 8 calls. */
const char *proc_file(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Starts argv (ended by NULL), its output in NAME.log; it dies with the test. Fails the test when it can't. */
void proc_start(struct proc *p, const char *name, const char *const argv[]);
/* The next program that is started does this before it begins, in its own process. */
void proc_in_next(void (*hook)(void));
/* Waits until its output has `text`; false after timeout_ms, or when it ended without. */
bool proc_says(struct proc *p, const char *text, unsigned timeout_ms);
/* How many times its output has `text`. */
unsigned proc_said(const struct proc *p, const char *text);
/* Waits for its end; false after timeout_ms. */
bool proc_ends(struct proc *p, unsigned timeout_ms);
/* Ends it: TERM, and KILL when that does not help in 10 s. Harmless when it has ended. */
void proc_stop(struct proc *p);
/* Ends it at once. */
void proc_kill(struct proc *p);
/* The last that it said, for a failure's report; lent until the next call. */
const char *proc_output(const struct proc *p);
/* Runs a program to its end; true if its exit code is 0. */
bool proc_run(struct proc *p, const char *name, unsigned timeout_ms, const char *const argv[]);

/* Is it an address of this machine? Some have no IPv6. */
bool proc_has_ip(const char *ip);
/*
 * A UDP and TCP port that is free on this address ("127.0.0.1", "::1"), and so is the next one up, which baresip
 * takes. Neither the kernel nor another test gives it to anybody while this process lives.
 */
uint16_t proc_port(const char *ip);
/* The same for a server: on 127.0.0.1 and ::1, of four digits (sipsak cuts a fifth). */
uint16_t proc_server_port(void);
/* Two that only root may take, this one and the next one down, free on 127.0.0.1; 0: anybody may here. */
uint16_t proc_low_port(void);
/* One of the next few, for a peer that the server connects to: where a capture sees what goes there. */
uint16_t proc_peer_port(const char *ip, uint16_t server_port);
enum { PROC_PEER_PORTS = 31 };
/* Does somebody listen there? Looks only, and disturbs nobody who is about to. */
bool proc_listens(const char *ip, bool tcp, uint16_t port);
/* Says aloud that a part of the tests can't be done on this machine. */
void proc_skip(const char *what, const char *why);
/* Sleeps while waiting for something of another process; never a test's own measure. */
void proc_pause(unsigned ms);
uint64_t proc_now_ms(void);

#endif
