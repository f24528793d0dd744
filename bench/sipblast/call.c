/*
 * What caller and callee do: launch, answer, acknowledge, hang up, retransmit (RFC 3261 §17), and check each message.
 *
 * A branch holds the slot and the serial number of its transaction, so that any answer finds it without a table, and the run:
 * who comes again from the same port within 32 s would hear what the last run was told (RFC 3261 §17.2.3).
 */
#include "blast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T1_MS      500
#define GIVE_UP_MS 4000
#define MS         1000000ull
#define COOKIE     "z9hG4bKsb"
#define BRANCH_BYTES              \
    (sizeof COOKIE - 1 + 16 + 8 + \
     1) /* cookie, slot, serial, run, letter: I initial, A ack, B bye */
#define CALL_ID_BYTES (16 + 8)
#define BYE_BYTES     1536

enum state { FREE, ASKED, HANGING_UP };

struct call {
    enum state state;
    bool provisional;
    uint32_t slot, serial, user, cseq, interval_ms;
    uint64_t due_ns, next_ns, end_ns;
    size_t bye_len;
    char bye[BYE_BYTES]; /* for retransmission */
};

static struct call *calls;
static uint32_t *free_slots, free_count, slot_count;
static uint32_t launches;

void
calls_init(uint32_t slots)
{
    calls = calloc(slots, sizeof *calls);
    free_slots = calloc(slots, sizeof *free_slots);
    if (!calls || !free_slots)
        fail("out of memory");
    slot_count = free_count = slots;
    for (uint32_t i = 0; i < slots; i++)
        free_slots[i] = slots - 1 - i;
}

uint32_t
calls_open(void)
{
    return slot_count - free_count;
}

static void
call_close(struct call *call)
{
    call->state = FREE;
    free_slots[free_count++] = call->slot;
}

static void
call_done(struct call *call, uint64_t now)
{
    tally.done++;
    if (measuring)
        latency_add(now > call->due_ns ? now - call->due_ns : 0);
    call_close(call);
}

static void
retry_arm(struct call *call, uint64_t now)
{
    call->interval_ms = T1_MS;
    call->next_ns = now + T1_MS * MS;
    call->end_ns = now + GIVE_UP_MS * MS;
}

static void
request_send(const struct call *call)
{
    char *to = wire_buffer(CALLER);

    wire_send(CALLER, &plan.server,
              shape_fill(to, call->slot, call->serial, call->user, call->cseq));
}

/* False when the window is full. due: when it should have been launched. */
bool
call_launch(uint64_t due, uint64_t now)
{
    struct call *call;
    uint32_t slot;

    if (free_count == 0 || (plan.most && launches == plan.most))
        return false;
    slot = free_slots[--free_count];
    call = &calls[slot];
    call->state = ASKED;
    call->provisional = false;
    call->slot = slot;
    call->serial = launches + 1;
    call->user = launches % plan.users;
    call->cseq = 100000000 + launches / plan.users;
    call->due_ns = due;
    launches++;
    retry_arm(call, now);
    tally.launched++;
    request_send(call);
    return true;
}

static char *
put(char *to, const char *bytes, size_t len)
{
    memcpy(to, bytes, len);
    return to + len;
}
#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

static char *
put_text(char *to, struct text text)
{
    return put(to, text.at, text.len);
}

static char *
put_branch(char *to, const struct call *call, char letter)
{
    to = hex_write(hex_write(PUT(to, COOKIE), call->slot), call->serial);
    to = put(to, plan.run, 8);
    *to = letter;
    return to + 1;
}

/* From, To, Call-ID and CSeq of a request within what the response answers; then the empty line. */
static char *
put_dialog(char *to, const struct message *response, const char *cseq)
{
    to = put_text(PUT(to, "Max-Forwards: 70\r\nFrom: "), response->from);
    to = put_text(PUT(to, "\r\nTo: "), response->to);
    to = put_text(PUT(to, "\r\nCall-ID: "), response->call_id);
    to = put(PUT(to, "\r\nCSeq: "), cseq, strlen(cseq));
    return PUT(to, "\r\nUser-Agent: sipblast\r\nContent-Length: 0\r\n\r\n");
}

/* A refusal's ACK has the INVITE's own Request-URI and branch (RFC 3261 §17.1.1.3). */
static void
refusal_ack(const struct call *call, const struct message *response)
{
    char invite[MESSAGE_BYTES], *start = wire_buffer(CALLER), *to = start;
    size_t len = shape_fill(invite, call->slot, call->serial, call->user, call->cseq);
    const char *line_end = memchr(invite, '\n', len);
    const char *via_end = memchr(line_end + 1, '\n', len - (size_t)(line_end + 1 - invite));

    to = PUT(to, "ACK");
    to = put(to, invite + sizeof "INVITE" - 1,
             (size_t)(via_end + 1 - invite) - (sizeof "INVITE" - 1));
    to = put_dialog(to, response, "1 ACK");
    wire_send(CALLER, &plan.server, (size_t)(to - start));
}

/* A request within the dialog (RFC 3261 §12.2.1.1): the remote target, and Record-Route the other way round. */
static size_t
in_dialog_write(char *start, const struct call *call, const struct message *response,
                const char *method, char letter, const char *cseq)
{
    char *to = put(start, method, strlen(method));

    to = put_text(PUT(to, " "), uri_of(response->contact));
    to = PUT(to, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
    to = put(to, plan.caller_text, strlen(plan.caller_text));
    to = put_branch(PUT(to, ";rport;branch="), call, letter);
    to = PUT(to, "\r\n");
    for (unsigned i = response->record_route_count; i-- > 0;)
        to = PUT(put_text(PUT(to, "Route: "), response->record_routes[i]), "\r\n");
    return (size_t)(put_dialog(to, response, cseq) - start);
}

static void
call_answered(struct call *call, const struct message *response, uint64_t now)
{
    char *to = wire_buffer(CALLER);

    wire_send(CALLER, &plan.server, in_dialog_write(to, call, response, "ACK", 'A', "1 ACK"));
    to = wire_buffer(CALLER);
    call->bye_len = in_dialog_write(to, call, response, "BYE", 'B', "2 BYE");
    if (call->bye_len > sizeof call->bye)
        fail("a BYE of %zu bytes", call->bye_len);
    put(call->bye, to, call->bye_len);
    wire_send(CALLER, &plan.server, call->bye_len);
    call->state = HANGING_UP;
    retry_arm(call, now);
}

static struct call *
call_of(const struct message *response)
{
    uint32_t slot, serial;

    if (response->branch.len != BRANCH_BYTES ||
        memcmp(response->branch.at, COOKIE, sizeof COOKIE - 1) != 0 ||
        !hex_read(response->branch.at + sizeof COOKIE - 1, &slot) ||
        !hex_read(response->branch.at + sizeof COOKIE - 1 + 8, &serial)) {
        tally.bad[BAD_BRANCH]++;
        return NULL;
    }
    if (slot >= slot_count || calls[slot].state == FREE || calls[slot].serial != serial) {
        tally.stray++;
        return NULL;
    }
    return &calls[slot];
}

static bool
call_id_is(const struct call *call, struct text call_id)
{
    char expected[CALL_ID_BYTES], *to = expected;

    if (plan.scenario == SCENARIO_REGISTER)
        to = decimal_write(PUT(to, "registers"), 7, call->user);
    else
        to = hex_write(hex_write(to, call->slot), call->serial);
    put(to, plan.run, 8);
    return call_id.len >= sizeof expected && memcmp(call_id.at, expected, sizeof expected) == 0;
}

static bool
cseq_is(const struct call *call, const struct message *response, bool bye)
{
    static const char *const methods[SCENARIOS] = { "OPTIONS", "INVITE", "REGISTER" };

    if (bye)
        return response->cseq == 2 && text_is(response->cseq_method, "BYE");
    return response->cseq == (plan.scenario == SCENARIO_REGISTER ? call->cseq : 1) &&
           text_is(response->cseq_method, methods[plan.scenario]);
}

static void
final_take(struct call *call, const struct message *response, uint64_t now)
{
    bool good = response->status / 100 == 2;

    if (!good) {
        tally.refused++;
        tally.refusal = response->status;
    } else if (plan.scenario != SCENARIO_OPTIONS && call->state == ASKED &&
               !response->contact.len) {
        tally.bad[BAD_CONTACT]++;
    }
    if (plan.scenario == SCENARIO_INVITE && call->state == ASKED) {
        if (good && response->contact.len) {
            call_answered(call, response, now);
            return;
        }
        refusal_ack(call, response);
    }
    call_done(call, now);
}

static void
caller_take(const struct message *response, uint64_t now)
{
    struct call *call = call_of(response);
    bool bye;

    if (!call)
        return;
    bye = response->branch.at[BRANCH_BYTES - 1] == 'B';
    if (!call_id_is(call, response->call_id)) {
        tally.bad[BAD_CALL_ID]++;
        return;
    }
    if (!cseq_is(call, response, bye)) {
        tally.bad[BAD_CSEQ]++;
        return;
    }
    if (response->via_count != 1)
        tally.bad[BAD_VIA]++;
    if (response->status < 200)
        call->provisional = true;
    else if (bye == (call->state == HANGING_UP))
        final_take(call, response, now);
    else
        tally.stray++;
}

static void
callee_reply(const struct sockaddr_in *source, const struct message *request,
             const char *first_line, bool dialog, const char *body)
{
    char *start = wire_buffer(CALLEE), *to = put(start, first_line, strlen(first_line));
    char number[64];
    int len;

    for (unsigned i = 0; i < request->via_count && i < FIELDS_MAX; i++)
        to = put_text(to, request->vias[i]);
    for (unsigned i = 0; dialog && i < request->record_route_count; i++)
        to = PUT(put_text(PUT(to, "Record-Route: "), request->record_routes[i]), "\r\n");
    to = put_text(PUT(to, "From: "), request->from);
    to = put_text(PUT(to, "\r\nTo: "), request->to);
    if (!memmem(request->to.at, request->to.len, ";tag=", 5))
        to = PUT(to, ";tag=callee");
    to = put_text(PUT(to, "\r\nCall-ID: "), request->call_id);
    len = snprintf(number, sizeof number, "\r\nCSeq: %u ", request->cseq);
    to = put_text(put(to, number, (size_t)len), request->cseq_method);
    if (dialog) {
        to = PUT(to, "\r\nContact: <sip:callee@");
        to = PUT(put(to, plan.callee_text, strlen(plan.callee_text)), ">");
    }
    if (*body)
        to = PUT(to, "\r\nContent-Type: application/sdp");
    len = snprintf(number, sizeof number, "\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    to = put(put(to, number, (size_t)len), body, strlen(body));
    wire_send(CALLEE, source, (size_t)(to - start));
}

static void
callee_take(const struct sockaddr_in *source, const struct message *request)
{
    if (request->via_count < (plan.raw ? 1 : 2))
        tally.bad[BAD_VIA]++;
    if (!plan.raw && request->max_forwards != 69)
        tally.bad[BAD_MAX_FORWARDS]++;
    if (!plan.raw && request->route_count > 0)
        tally.bad[BAD_ROUTE]++;
    if (!request->call_id.len || !request->cseq || !request->from.len || !request->to.len) {
        tally.bad[BAD_SYNTAX]++;
    } else if (plan.silent) {
        return;
    } else if (text_is(request->method, "INVITE")) {
        callee_reply(source, request, "SIP/2.0 180 Ringing\r\n", true, "");
        callee_reply(source, request, "SIP/2.0 200 OK\r\n", true, sdp);
    } else if (!text_is(request->method, "ACK")) {
        callee_reply(source, request, "SIP/2.0 200 OK\r\n", false, "");
    }
}

void
call_message(enum side side, const struct sockaddr_in *source, const struct message *message,
             uint64_t now)
{
    if (side == CALLER && message->status > 0) {
        caller_take(message, now);
    } else if (side == CALLEE && message->status == 0) {
        callee_take(source, message);
    } else if (plan.raw && side == CALLER) {
        struct message echoed = *message; /* our own request stands for its answer */

        echoed.status = 200;
        caller_take(&echoed, now);
    } else {
        tally.stray++;
    }
}

static void
call_retransmit(struct call *call)
{
    tally.retransmitted++;
    if (call->state == ASKED) {
        request_send(call);
    } else {
        put(wire_buffer(CALLER), call->bye, call->bye_len);
        wire_send(CALLER, &plan.server, call->bye_len);
    }
}

void
calls_tick(uint64_t now)
{
    for (uint32_t i = 0; i < slot_count; i++) {
        struct call *call = &calls[i];

        if (call->state == FREE || now < call->next_ns)
            continue;
        if (now >= call->end_ns) {
            tally.lost++;
            call_close(call);
            continue;
        }
        call->interval_ms *= 2;
        call->next_ns = now + call->interval_ms * MS;
        if (call->next_ns > call->end_ns)
            call->next_ns = call->end_ns;
        /* A provisional response stops Timer A (RFC 3261 §17.1.1.2). */
        if (!(plan.scenario == SCENARIO_INVITE && call->state == ASKED && call->provisional))
            call_retransmit(call);
    }
}
