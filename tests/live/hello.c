/*
 * A ClientHello written by hand, and what a server says to it.
 */
#include "live/hello.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "live/proc.h"

enum { RECORD_BYTES = 5 + 16384, FLIGHT_BYTES = 65536 };
enum { ALERT = 21, HANDSHAKE = 22 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, SERVER_KEY_EXCHANGE = 12, SERVER_HELLO_DONE = 14 };
enum {
    SERVER_NAME = 0,
    GROUPS = 10,
    POINT_FORMATS = 11,
    SIGNATURES = 13,
    VERSIONS = 43,
    KEY_SHARE = 51,
    RENEGOTIATION_INFO = 0xff01,
};

void
hello_init(struct hello *hello, uint16_t version)
{
    *hello = (struct hello){
        .version = version,
        .suites = { 6, { 0xc02b, 0xc02f, 0xc02c, 0xc030, 0x1301, 0x1302 } },
        .groups = { 3, { 23, 24, 29 } },
        .signatures = { 3, { 0x0403, 0x0804, 0x0401 } },
        .compressions = "",
    };
}

/* ---- writing */

struct out {
    size_t len;
    uint8_t at[RECORD_BYTES];
};

static void
put(struct out *out, size_t bytes, size_t number)
{
    ck_assert_uint_le(out->len + bytes, sizeof out->at);
    while (bytes-- > 0)
        out->at[out->len++] = (uint8_t)(number >> 8 * bytes);
}

/* Room for a length of so many bytes; put_end() fills in what follows it. */
static size_t
put_begin(struct out *out, size_t bytes)
{
    put(out, bytes, 0);
    return out->len;
}

static void
put_end(struct out *out, size_t bytes, size_t begin)
{
    size_t len = out->len - begin;

    for (size_t i = 1; i <= bytes; i++, len >>= 8)
        out->at[begin - i] = (uint8_t)len;
}

static void
put_ids(struct out *out, const struct hello_ids *ids)
{
    size_t begin = put_begin(out, 2);

    for (size_t i = 0; i < ids->len; i++)
        put(out, 2, ids->at[i]);
    put_end(out, 2, begin);
}

static void
put_extension_ids(struct out *out, unsigned extension, const struct hello_ids *ids)
{
    size_t begin;

    put(out, 2, extension);
    begin = put_begin(out, 2);
    put_ids(out, ids);
    put_end(out, 2, begin);
}

static void
put_name(struct out *out, const char *name)
{
    size_t extension, list;

    if (!name)
        return;
    put(out, 2, SERVER_NAME);
    extension = put_begin(out, 2);
    list = put_begin(out, 2);
    put(out, 1, 0); /* a host */
    put(out, 2, strlen(name));
    for (; *name; name++)
        put(out, 1, (uint8_t)*name);
    put_end(out, 2, list);
    put_end(out, 2, extension);
}

static void
put_extensions(struct out *out, const struct hello *hello)
{
    size_t begin = put_begin(out, 2);

    put_name(out, hello->name);
    put_extension_ids(out, GROUPS, &hello->groups);
    put_extension_ids(out, SIGNATURES, &hello->signatures);
    put(out, 4, (size_t)POINT_FORMATS << 16 | 2);
    put(out, 2, 0x0100); /* one: uncompressed */
    put(out, 4, (size_t)HELLO_HEARTBEAT << 16 | 1);
    put(out, 1, 1); /* the peer may send */
    put(out, 4, (size_t)HELLO_MASTER_SECRET << 16);
    put(out, 4, (size_t)RENEGOTIATION_INFO << 16 | 1);
    put(out, 1, 0); /* of no handshake before */
    if (hello->version == HELLO_TLS1_3) {
        put(out, 4, (size_t)VERSIONS << 16 | 3);
        put(out, 1, 2);
        put(out, 2, hello->version);
        put(out, 4, (size_t)KEY_SHARE << 16 | 2);
        put(out, 2, 0);
    }
    put_end(out, 2, begin);
}

static void
write_hello(struct out *out, const struct hello *hello)
{
    uint16_t legacy = hello->version < HELLO_TLS1_2 ? hello->version : HELLO_TLS1_2;
    size_t record, message;

    out->len = 0;
    put(out, 1, HANDSHAKE);
    put(out, 2, legacy < HELLO_TLS1_0 ? HELLO_SSL3 : HELLO_TLS1_0);
    record = put_begin(out, 2);
    put(out, 1, CLIENT_HELLO);
    message = put_begin(out, 3);
    put(out, 2, legacy);
    for (unsigned i = 0; i < 32; i++)
        put(out, 1, i * 7 + 1); /* chance is for who keeps secrets */
    put(out, 1, 0);             /* no session */
    put_ids(out, &hello->suites);
    put(out, 1, strlen(hello->compressions) + 1);
    for (const char *method = hello->compressions; *method; method++)
        put(out, 1, (uint8_t)*method);
    put(out, 1, 0);
    if (hello->version > HELLO_SSL3)
        put_extensions(out, hello);
    put_end(out, 3, message);
    put_end(out, 2, record);
}

/* ---- reading */

/* What is left to be read of a message; past its end all is 0. */
struct in {
    const uint8_t *at;
    size_t len;
};

static unsigned
take(struct in *in, size_t bytes)
{
    unsigned number = 0;

    for (; bytes > 0 && in->len > 0; bytes--, in->at++, in->len--)
        number = number << 8 | *in->at;
    return number;
}

static struct in
take_in(struct in *in, size_t len)
{
    struct in part = { in->at, len < in->len ? len : in->len };

    in->at += part.len;
    in->len -= part.len;
    return part;
}

static void
read_extension(unsigned extension, struct in in, struct hello_answer *out)
{
    switch (extension) {
    case VERSIONS: out->version = (uint16_t)take(&in, 2); break;
    case KEY_SHARE: out->group = (uint16_t)take(&in, 2); break;
    case HELLO_HEARTBEAT: out->heartbeat = true; break;
    case HELLO_MASTER_SECRET: out->master_secret = true; break;
    case RENEGOTIATION_INFO: out->secure_renegotiation = true; break;
    default: break;
    }
}

static void
read_server_hello(struct in in, struct hello_answer *out)
{
    struct in extensions;

    out->greeted = true;
    out->version = (uint16_t)take(&in, 2);
    take_in(&in, 32);
    take_in(&in, take(&in, 1));
    out->suite = (uint16_t)take(&in, 2);
    out->compression = (uint8_t)take(&in, 1);
    extensions = take_in(&in, take(&in, 2));
    while (extensions.len > 0) {
        unsigned extension = take(&extensions, 2);

        read_extension(extension, take_in(&extensions, take(&extensions, 2)), out);
    }
}

/* RFC 8422 §5.4 */
static void
read_key_exchange(struct in in, struct hello_answer *out)
{
    if (take(&in, 1) == 3) /* a named curve */
        out->group = (uint16_t)take(&in, 2);
}

/* The whole messages of a flight; true: nothing is left to be heard. */
static bool
read_flight(struct in in, struct hello_answer *out)
{
    while (in.len >= 4) {
        unsigned kind = take(&in, 1), len = take(&in, 3);

        if (len > in.len)
            break;
        if (kind == SERVER_HELLO)
            read_server_hello(take_in(&in, len), out);
        else if (kind == SERVER_KEY_EXCHANGE)
            read_key_exchange(take_in(&in, len), out);
        else
            take_in(&in, len);
        if (kind == SERVER_HELLO_DONE || (kind == SERVER_HELLO && out->version == HELLO_TLS1_3))
            return true;
    }
    return false;
}

/* False: the connection has ended before. */
static bool
receive(int fd, uint8_t *to, size_t len)
{
    ssize_t got = len > 0 ? recv(fd, to, len, MSG_WAITALL) : 0;

    ck_assert_msg(got >= 0, "neither an answer nor an end");
    return (size_t)got == len;
}

static void
hear(int fd, struct hello_answer *out)
{
    static uint8_t flight[FLIGHT_BYTES];
    size_t flight_len = 0;
    uint8_t head[5];

    *out = (struct hello_answer){ 0 };
    while (receive(fd, head, sizeof head)) {
        size_t len = (size_t)head[3] << 8 | head[4];

        ck_assert_uint_le(flight_len + len, sizeof flight);
        if (!receive(fd, flight + flight_len, len))
            return;
        if (head[0] == ALERT && len == 2) {
            out->alert = flight[flight_len + 1];
            return;
        }
        flight_len += len;
        if (read_flight((struct in){ flight, flight_len }, out))
            return;
    }
}

void
hello_say_bytes(uint16_t port, const void *bytes, size_t len, struct hello_answer *out)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct timeval wait = { .tv_sec = PROC_PATIENCE_MS / 1000 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    hear(fd, out);
    close(fd);
}

void
hello_say(uint16_t port, const struct hello *hello, struct hello_answer *out)
{
    static struct out wire;

    write_hello(&wire, hello);
    hello_say_bytes(port, wire.at, wire.len, out);
}
