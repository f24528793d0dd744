/*
 * The INVITE server transaction (RFC 3261 §17.2.1 and figure 7, as changed by RFC 6026 §8.7 and figure 7 there).
 */
#include "txn/machine.h"

const struct txn_rule txn_ist_rules[TXN_STATES][EV_COUNT] = {
    [TXN_NONE] = {
        [EV_START]    = { TXN_PROCEEDING, T_KEEP, 0 },
    },
    [TXN_PROCEEDING] = {
        [EV_REQUEST]  = { TXN_PROCEEDING, T_KEEP, A_RESEND },
        [EV_SEND_1XX] = { TXN_PROCEEDING, T_KEEP, A_SEND },
        [EV_SEND_2XX] = { TXN_ACCEPTED, T_L, A_SEND },
        [EV_SEND_3XX] = { TXN_COMPLETED, T_H, A_SEND | A_START },                   /* Timers G and H */
    },
    [TXN_COMPLETED] = {
        [EV_REQUEST]  = { TXN_COMPLETED, T_KEEP, A_RESEND },
        [EV_REPEAT]   = { TXN_COMPLETED, T_KEEP, A_RESEND | A_DOUBLE },             /* Timer G */
        [EV_ACK]      = { TXN_CONFIRMED, T_I, A_STOP },
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, A_TELL },                               /* Timer H */
    },
    [TXN_CONFIRMED] = {
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer I */
    },
    [TXN_ACCEPTED] = {
        [EV_SEND_2XX] = { TXN_ACCEPTED, T_KEEP, A_SEND },                           /* RFC 6026 §7.1 */
        [EV_TIMEOUT]  = { TXN_GONE, T_KEEP, 0 },                                    /* Timer L */
    },
};
