/*
 * The first line of a message (RFC 3261 §7.1, §7.2, §25.1): as nearly all write it at a glance, else part by part.
 */
#include "sip/chars.h"
#include "sip/parse.h"

/* Is this digits, a dot, digits? */
static bool
is_version_number(struct span text)
{
    struct span major = span_cut(&text, '.');
    uint64_t ignored;

    return span_u64(major, UINT64_MAX, &ignored) && span_u64(text, UINT64_MAX, &ignored);
}

static bool
is_sip(const char *bytes, uint32_t at, uint32_t end)
{
    return end - at >= 4 && span_ieq((struct span){ bytes + at, 4 }, SPAN("SIP/"));
}

/* A SIP-Version, which is_sip(); another one than ours is a fault (§7.1, §21.5.6). */
static void
version_read(struct msg *msg, uint32_t at, uint32_t end)
{
    struct span number;

    msg->version = (struct msg_text){ at, end - at };
    if (span_eq(msg_span(msg, msg->version), SPAN("SIP/2.0")))
        return;
    number = span_skip(msg_span(msg, msg->version), 4);
    if (span_eq(number, SPAN("2.0")))
        parse_note(msg, DEV_VERSION_CASE);
    else if (is_version_number(number))
        parse_fault(msg, 505, "Version Not Supported");
    else
        parse_fault(msg, 400, "Bad SIP-Version");
}

/* One SP each between the three parts and none behind them (§7.1, RFC 4475 §3.1.2.9, §3.1.2.10)? */
static bool
is_spaced_right(const struct msg *msg, uint32_t end)
{
    uint32_t method_end = msg->method_text.len, uri_end = msg->uri.at + msg->uri.len;

    return msg->uri.at == method_end + 1 && msg->bytes[method_end] == ' ' &&
           msg->version.at == uri_end + 1 && msg->bytes[uri_end] == ' ' &&
           msg->version.at + msg->version.len == end;
}

/* Request-Line = Method SP Request-URI SP SIP-Version (§7.1): the method is the first word, the version the last. */
static bool
request_line_read(struct msg *msg, uint32_t end)
{
    const char *bytes = msg->bytes;
    uint32_t method_end = (uint32_t)chars_token_len((struct span){ bytes, end });
    uint32_t uri_at = parse_skip_blanks(bytes, method_end, end);
    uint32_t version_end = parse_trim_blanks(bytes, uri_at, end), version_at = version_end;

    if (method_end == 0 || uri_at == method_end || uri_at == end)
        return false;
    while (!parse_is_blank(bytes[version_at - 1]))
        version_at--;
    if (!is_sip(bytes, version_at, version_end))
        return false;
    version_read(msg, version_at, version_end);
    msg->method_text = (struct msg_text){ 0, method_end };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = (struct msg_text){ uri_at, parse_trim_blanks(bytes, uri_at, version_at) - uri_at };
    if (msg->uri.len == 0)
        parse_fault(msg, 400, "Missing Request-URI");
    else if (!is_spaced_right(msg, end))
        parse_note(msg, DEV_REQUEST_LINE_BLANKS);
    return true;
}

/* As request_line_read, where all is as nearly all write it. False: it is not, and nothing was read. */
static bool
plain_request_line_read(struct msg *msg, uint32_t end)
{
    const struct span version = SPAN(" SIP/2.0");
    const char *bytes = msg->bytes;
    uint32_t method_end = (uint32_t)chars_token_len((struct span){ bytes, end });
    uint32_t uri_at = method_end + 1, uri_end = end - (uint32_t)version.len;

    if (method_end == 0 || end <= uri_at + version.len ||
        memcmp(bytes + uri_end, version.at, version.len) != 0)
        return false;
    if (bytes[method_end] != ' ' || !parse_is_visible(bytes[uri_at]) ||
        !parse_is_visible(bytes[uri_end - 1]))
        return false;
    msg->method_text = (struct msg_text){ 0, method_end };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = (struct msg_text){ uri_at, uri_end - uri_at };
    msg->version = (struct msg_text){ uri_end + 1, (uint32_t)version.len - 1 };
    return true;
}

/* A request whose first line says nothing but perhaps its method: who sent it shall hear so. */
static void
no_request_line(struct msg *msg, uint32_t end)
{
    msg->method_text =
        (struct msg_text){ 0, (uint32_t)chars_token_len((struct span){ msg->bytes, end }) };
    msg->method = names_method(msg_span(msg, msg->method_text));
    msg->uri = msg->version = (struct msg_text){ end, 0 };
    parse_fault(msg, 400, "Bad Request-Line");
}

/* Status-Line = SIP-Version SP Status-Code SP Reason-Phrase (§7.2); some senders drop the last blank with the phrase. */
static bool
status_line_read(struct msg *msg, uint32_t end)
{
    const char *bytes = msg->bytes;
    uint32_t version_end = (uint32_t)span_find((struct span){ bytes, end }, ' ');
    uint32_t code_at = parse_skip_blanks(bytes, version_end, end), status;
    uint32_t code_end =
        code_at + (uint32_t)span_find((struct span){ bytes + code_at, end - code_at }, ' ');
    uint32_t reason_at = code_end < end ? code_end + 1 : end;

    if (code_end - code_at != 3 || !span_u32((struct span){ bytes + code_at, 3 }, 699, &status) ||
        status < 100)
        return false;
    version_read(msg, 0, version_end);
    if (code_at - version_end != 1 || code_end == end)
        parse_note(msg, DEV_STATUS_LINE);
    msg->status = (uint16_t)status;
    msg->reason = (struct msg_text){ reason_at, end - reason_at };
    return true;
}

/* As status_line_read, where all is as nearly all write it. False: it is not, and nothing was read. */
static bool
plain_status_line_read(struct msg *msg, uint32_t end)
{
    const struct span begin = SPAN("SIP/2.0 ");
    uint32_t reason_at = (uint32_t)begin.len + 4;
    unsigned status = 0;
    const char *code;

    if (end < reason_at || memcmp(msg->bytes, begin.at, begin.len) != 0)
        return false;
    code = msg->bytes + begin.len;
    if (code[3] != ' ')
        return false;
    for (unsigned i = 0; i < 3; i++) {
        if (!chars_is_digit(code[i]))
            return false;
        status = status * 10 + chars_digit(code[i]);
    }
    if (status < 100 || status > 699)
        return false;
    msg->version = (struct msg_text){ 0, (uint32_t)begin.len - 1 };
    msg->status = (uint16_t)status;
    msg->reason = (struct msg_text){ reason_at, end - reason_at };
    return true;
}

/* One that means to be a response, if only by a blank too many, is never answered. */
bool
start_line_read(struct msg *msg, uint32_t end)
{
    if (end > 0 && msg->bytes[end - 1] == '\n') {
        end--;
        if (end > 0 && msg->bytes[end - 1] == '\r')
            end--;
        else
            msg->bare_lf = true;
    }
    if (plain_status_line_read(msg, end) || plain_request_line_read(msg, end))
        return true;
    if (is_sip(msg->bytes, parse_skip_blanks(msg->bytes, 0, end), end))
        return is_sip(msg->bytes, 0, end) && status_line_read(msg, end);
    if (end > 0 && !request_line_read(msg, end))
        no_request_line(msg, end);
    return end > 0;
}
