/*
 * The four transaction machines as data: states, events, actions (RFC 3261 §17, changed by RFC 6026).
 *
 * Each machine is one table in a file of its own, set beside the RFC's figure; commit.c performs what a rule says. A cell
 * without a rule (next is 0) ignores its event.
 */
#ifndef TXN_MACHINE_H
#define TXN_MACHINE_H

#include "base/def.h"

enum txn_kind { TXN_ICT, TXN_NICT, TXN_IST, TXN_NIST, TXN_KINDS };

enum txn_state {
    TXN_NONE,       /* not begun; as a rule's next: the event is ignored */
    TXN_CALLING,    /* ICT: INVITE sent, nothing heard */
    TXN_TRYING,     /* NICT, NIST: request sent or taken, no response yet */
    TXN_PROCEEDING, /* a provisional response passed (IST: the INVITE was taken) */
    TXN_COMPLETED,  /* a final response passed; repeats are absorbed or answered */
    TXN_CONFIRMED,  /* IST: the ACK of a failure came */
    TXN_ACCEPTED,   /* ICT, IST: a 2xx passed; more of them may (RFC 6026 §7) */
    TXN_GONE,       /* ended; freed at once */
    TXN_STATES
};

enum txn_event {
    EV_START,    /* client: the request leaves for the first time */
    EV_REQUEST,  /* server: the request came again */
    EV_ACK,      /* IST: an ACK that belongs to this transaction came */
    EV_SEND_1XX, /* server: its user sends a provisional response */
    EV_SEND_2XX,
    EV_SEND_3XX, /* … a final response 300 to 699 */
    EV_RECV_1XX, /* client: a provisional response came */
    EV_RECV_2XX,
    EV_RECV_3XX, /* … a final response 300 to 699 */
    EV_REPEAT,   /* retransmission timer: A, E or G */
    EV_TIMEOUT,  /* the state's other timer: B, F, H, or the end of D, I, J, K, L, M */
    EV_GONE,     /* the transport failed (§17.1.4, §17.2.4) */
    EV_COUNT
};

enum txn_action {
    A_SEND = 1,    /* keep the bytes at hand as the last sent, and send them */
    A_RESEND = 2,  /* send the last bytes again */
    A_ACK = 4,     /* make the ACK of §17.1.1.3, keep and send it (once made: send it again) */
    A_TELL = 8,    /* the transaction's user must hear of it */
    A_START = 16,  /* begin A, E or G at T1 (unreliable transports only) */
    A_DOUBLE = 32, /* … again after twice the time, E and G at most T2 */
    A_SLOW = 64,   /* … again after T2 (§17.1.2.2 Proceeding) */
    A_STOP = 128,  /* disarm A, E or G */
};

enum txn_letter {
    T_KEEP,
    T_B,
    T_D,
    T_F,
    T_H,
    T_I,
    T_J,
    T_K,
    T_L,
    T_M,
    T_OFF
}; /* the state's other timer; T_OFF disarms */

struct txn_rule {
    uint8_t next;     /* enum txn_state */
    uint8_t letter;   /* enum txn_letter to arm */
    uint16_t actions; /* enum txn_action bits */
};

extern const struct txn_rule txn_ict_rules[TXN_STATES][EV_COUNT];
extern const struct txn_rule txn_nict_rules[TXN_STATES][EV_COUNT];
extern const struct txn_rule txn_ist_rules[TXN_STATES][EV_COUNT];
extern const struct txn_rule txn_nist_rules[TXN_STATES][EV_COUNT];

extern const struct txn_rule (*const txn_machines[TXN_KINDS])[EV_COUNT];

/* The rule for this cell. */
static inline const struct txn_rule *
txn_rule(enum txn_kind kind, enum txn_state state, enum txn_event event)
{
    return &txn_machines[kind][state][event];
}
/* "ICT", "PROCEEDING", "RECV_1XX", "B": for lists, logs and the manual's figures. */
const char *txn_kind_name(enum txn_kind kind);
const char *txn_state_name(enum txn_state state);
const char *txn_event_name(enum txn_event event);
const char *txn_letter_name(enum txn_letter letter);

#endif
