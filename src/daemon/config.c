/*
 * sipd.conf, read and looked at: syntax, schema, and what a schema cannot say (is it an address, a domain, a collision?).
 */
#include "daemon/config.h"

#include "daemon/config_file.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { CONFIG_BYTES = 64 << 20, PATH_BYTES = 4096, WHERE_BYTES = 64 };

/* ---- which sections may stand there */

static bool
is_own_key(const char *name)
{
    for (const struct sipd_conf_item *item = config_items; item->kind; item++)
        if (strcmp(item->key, name) == 0)
            return true;
    return false;
}

static bool
is_listed(const config_setting_t *modules, const char *name)
{
    for (int i = 0; modules && i < config_setting_length(modules); i++) {
        const char *module = config_setting_get_string_elem(modules, i);

        if (module && strcmp(module, name) == 0)
            return true;
    }
    return false;
}

static bool
is_module_file(const char *dir, const char *name)
{
    char path[PATH_BYTES];

    return snprintf(path, sizeof path, "%s/%s.so", dir, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* Sections of modules, those that are not loaded complained of; memory in the reader's arena. */
static int
find_sections(const config_setting_t *root, const char *module_dir, struct conf_reader *r)
{
    const config_setting_t *modules = config_setting_get_member(root, "modules");
    size_t listed = modules && config_setting_is_aggregate(modules)
                        ? (size_t)config_setting_length(modules)
                        : 0;
    struct span *names =
        arena_alloc(r->arena, (listed + (size_t)config_setting_length(root) + 1) * sizeof *names);

    if (!names)
        return SIPD_ENOMEM;
    r->others = names;
    for (size_t i = 0; i < listed; i++) {
        const char *name = config_setting_get_string_elem(modules, (int)i);

        if (name)
            names[r->others_len++] = span_of(name);
    }
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        const char *name = config_setting_name(s);

        if (!name || is_own_key(name) || (listed > 0 && is_listed(modules, name)) ||
            !is_module_file(module_dir, name))
            continue;
        conf_complain(r, s, span_of(name),
                      "its module is not loaded; add \"%s\" to modules, or take the section out",
                      name);
        names[r->others_len++] = span_of(name);
    }
    return SIPD_OK;
}

/* ---- complaints about what the schema cannot see */

void
config_complain(const struct config *config, const char *path, struct buf *why, const char *format,
                ...)
{
    const config_setting_t *at = config_lookup(&config->tree, path);
    struct conf_reader r;
    char text[512], shown[WHERE_BYTES * 2];
    size_t len = 0;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    /* libconfig's "listen.[0].port" is "listen[0].port" to people. */
    for (const char *c = path; *c && len < sizeof shown; c++)
        if (c[0] != '.' || c[1] != '[')
            shown[len++] = *c;
    conf_reader_init(&r, NULL, why, config->file);
    conf_complain(&r, at, (struct span){ shown, len }, "%s", text);
}

/* "listen.[0].port", in a buffer of the caller's. */
static const char *
path_to(char to[WHERE_BYTES], const char *list, size_t i, const char *key)
{
    snprintf(to, WHERE_BYTES, key ? "%s.[%zu].%s" : "%s.[%zu]", list, i, key);
    return to;
}

/* ---- domains */

static bool
is_host_char(char c)
{
    return (span_lower(c) >= 'a' && span_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

/* A name, or a literal address as a URI has it. */
static bool
is_host(struct span text)
{
    if (uri_host_is_literal(text))
        return true;
    for (size_t i = 0; i < text.len; i++)
        if (!is_host_char(text.at[i]))
            return false;
    return text.len > 0 && text.at[0] != '.' && text.at[0] != '-';
}

static void
check_domains(const struct config *c, struct buf *why)
{
    const struct sipd_strs *domains = &c->text.domains;
    char path[WHERE_BYTES];

    for (size_t i = 0; i < domains->len; i++) {
        if (!is_host(domains->at[i]))
            config_complain(c, path_to(path, "domains", i, NULL), why,
                            "\"%.*s\" is not a domain; write its bare name: \"example.com\"",
                            SPAN_ARG(domains->at[i]));
        for (size_t j = 0; j < i; j++)
            if (span_ieq(domains->at[i], domains->at[j]))
                config_complain(c, path_to(path, "domains", i, NULL), why,
                                "\"%.*s\" stands there twice; write it once",
                                SPAN_ARG(domains->at[i]));
    }
}

static void
check_modules(const struct config *c, struct buf *why)
{
    const struct sipd_strs *modules = &c->text.modules;
    char path[WHERE_BYTES];

    for (size_t i = 0; i < modules->len; i++)
        for (size_t j = 0; j < i; j++)
            if (span_eq(modules->at[i], modules->at[j]))
                config_complain(c, path_to(path, "modules", i, NULL), why,
                                "\"%.*s\" stands there twice; write it once",
                                SPAN_ARG(modules->at[i]));
}

/* ---- listeners */

void
config_split_advertise(struct span advertise, struct span *host, uint16_t *port)
{
    size_t bracket = advertise.len > 0 && advertise.at[0] == '[' ? span_find(advertise, ']') : 0;
    size_t colon = bracket + span_find(span_skip(advertise, bracket), ':');
    uint32_t number = 0;

    *host = span_head(advertise, colon);
    *port = 0;
    if (span_u32(span_skip(advertise, colon + 1), 65535, &number))
        *port = (uint16_t)number;
}

static bool
is_advertise(struct span text)
{
    struct span host;
    uint16_t port;

    config_split_advertise(text, &host, &port);
    return is_host(host) && (host.len == text.len || port > 0);
}

/* The number of the interface that a link-local address names behind a % (RFC 4007 §11); 0: there is none such. */
static uint32_t
read_zone(struct span text)
{
    const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST,
                                      .ai_family = AF_INET6,
                                      .ai_socktype = SOCK_DGRAM };
    struct addrinfo *found = NULL;
    uint32_t zone = 0;

    if (getaddrinfo(text.at, NULL, &numeric, &found) == 0)
        zone = ((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_scope_id;
    if (found)
        freeaddrinfo(found);
    return zone;
}

/* An address, with the interface of a link-local one behind a %. */
static bool
read_address(struct span text, struct hop *at, const char **wrong)
{
    struct span address = span_head(text, span_find(text, '%'));

    *wrong =
        "is not an IP address; write one, as \"192.0.2.1\", \"2001:db8::1\", \"0.0.0.0\" or \"::\"";
    if (!hop_ip_read(address, at))
        return false;
    *wrong = "names an interface that is not there; see them with: ip link";
    at->scope_id = address.len < text.len ? read_zone(text) : 0;
    return address.len == text.len || at->scope_id != 0;
}

static bool
is_wildcard(const struct hop *at)
{
    static const uint8_t any6[16], any4[16] = { [10] = 0xff, [11] = 0xff };

    return memcmp(at->ip, any6, 16) == 0 || memcmp(at->ip, any4, 16) == 0;
}

struct span
config_listen_text(const struct hop *at, char to[HOP_TEXT_BYTES + 8])
{
    char address[HOP_TEXT_BYTES];
    struct span where = hop_write(at, address), transport = hop_transport_uri(at->transport);
    char *end = span_write(to, transport); /* names have less than 8 bytes */

    *end++ = ':';
    return span_between(to, span_write(end, where));
}

/* Would both want the same socket? A wildcard stands for every address of its family. */
static bool
collide(const struct hop *a, const struct hop *b)
{
    if (a->transport != b->transport || a->port != b->port || a->port == 0 ||
        hop_is_v4(a) != hop_is_v4(b))
        return false;
    return is_wildcard(a) || is_wildcard(b) ||
           (memcmp(a->ip, b->ip, 16) == 0 && a->scope_id == b->scope_id);
}

static void
check_collisions(const struct config *c, size_t i, struct buf *why)
{
    char path[WHERE_BYTES], text[HOP_TEXT_BYTES + 8];

    for (size_t j = 0; j < i; j++)
        if (collide(&c->listens[i].at, &c->listens[j].at))
            config_complain(c, path_to(path, "listen", i, NULL), why,
                            "wants %.*s, which listen[%zu] has; give it another port or address, "
                            "or take one out",
                            SPAN_ARG(config_listen_text(&c->listens[i].at, text)), j);
}

static bool
has_module(const struct config *c, struct span name)
{
    for (size_t i = 0; i < c->text.modules.len; i++)
        if (span_eq(c->text.modules.at[i], name))
            return true;
    return false;
}

/* UDP and TCP are ours; any other transport is brought by the module of its name. */
static void
check_transport(const struct config *c, size_t i, struct buf *why)
{
    uint8_t transport = c->listens[i].at.transport;
    struct span name = hop_transport_uri(transport);
    char path[WHERE_BYTES];

    if (transport != HOP_UDP && transport != HOP_TCP && !has_module(c, name))
        config_complain(c, path_to(path, "listen", i, "transport"), why,
                        "\"%.*s\" is brought by a module; add \"%.*s\" to modules, or take the "
                        "listener out",
                        SPAN_ARG(name), SPAN_ARG(name));
}

/* The port as written, else the transport's own (RFC 3261 §19.1.2). */
static uint16_t
read_listen_port(const struct config *c, size_t i)
{
    const struct config_listen *from = (const struct config_listen *)c->text.listen.at + i;
    char path[WHERE_BYTES];

    return config_lookup(&c->tree, path_to(path, "listen", i, "port"))
               ? (uint16_t)from->port
               : hop_default_port(c->listens[i].at.transport);
}

static void
read_listen(struct config *c, size_t i, struct buf *why)
{
    const struct config_listen *from = (const struct config_listen *)c->text.listen.at + i;
    struct net_listen *to = &c->listens[i];
    const char *wrong;
    char path[WHERE_BYTES];

    to->at.transport = (uint8_t)(from->transport + HOP_UDP);
    to->at.port = read_listen_port(c, i);
    to->freebind = from->freebind;
    to->alias = from->alias;
    to->trains = from->trains;
    to->advertise = from->advertise;
    to->rport = (uint8_t)from->rport;
    if (!read_address(from->address, &to->at, &wrong))
        config_complain(c, path_to(path, "listen", i, "address"), why, "\"%.*s\" %s",
                        SPAN_ARG(from->address), wrong);
    else
        check_collisions(c, i, why);
    check_transport(c, i, why);
    if (from->advertise.len > 0 && !is_advertise(from->advertise))
        config_complain(c, path_to(path, "listen", i, "advertise"), why,
                        "\"%.*s\" is not host or host:port; write it as \"sip.example.com\" or "
                        "\"192.0.2.1:5060\"",
                        SPAN_ARG(from->advertise));
}

static int
read_listens(struct config *c, struct buf *why)
{
    size_t len = c->text.listen.len;

    c->listens = arena_zalloc(&c->arena, (len + 1) * sizeof *c->listens);
    if (!c->listens)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < len; i++) {
        read_listen(c, i, why);
        c->listens_len++;
    }
    return SIPD_OK;
}

/* ---- the rest */

static void
check_paths(const struct config *c, struct buf *why)
{
    struct span socket = c->text.control.socket, dir = c->text.state_dir;

    if (socket.len == 0 || socket.at[0] != '/')
        config_complain(c, "control.socket", why,
                        "is not an absolute path; write one, as \"/run/sipd/control.sock\"");
    if (socket.len >= sizeof((struct sockaddr_un *)0)->sun_path)
        config_complain(c, "control.socket", why,
                        "is longer than a socket's path may be; write one of at most %zu bytes",
                        sizeof((struct sockaddr_un *)0)->sun_path - 1);
    if (dir.len == 0 || dir.at[0] != '/')
        config_complain(c, "state_dir", why,
                        "is not an absolute path; write one, as \"/var/lib/sipd\"");
}

static void
check_path_required(const struct config *c, struct buf *why)
{
    if (c->text.proxy.path_required && !c->text.proxy.path)
        config_complain(c, "proxy.path_required", why,
                        "nothing can require the Path that proxy.path = false keeps out; set that "
                        "to true, or take this out");
}

static void
fill_core(struct config *c)
{
    const struct config_text *text = &c->text;

    core_conf_default(&c->core);
    c->core.record_route = text->proxy.record_route;
    c->core.path = text->proxy.path;
    c->core.path_required = text->proxy.path_required;
    c->core.fork = text->proxy.fork == 0 ? CORE_FORK_PARALLEL : CORE_FORK_Q;
    c->core.relay = text->proxy.relay == 0 ? CORE_RELAY_OURS : CORE_RELAY_ANY;
    c->core.no_answer_ms = text->proxy.no_answer_s * 1000;
    c->core.silent_ms = text->proxy.silent_ms;
    c->core.timer_c_ms = text->proxy.timer_c_s * 1000;
    c->core.mode = text->proxy.mode == 0 ? CORE_STATEFUL : CORE_STATELESS;
    c->core.stray = text->proxy.stray == 0 ? CORE_STRAY_DROP : CORE_STRAY_VERIFIED;
    c->core.recurse = text->proxy.recurse;
    c->core.trying_ms = text->proxy.trying_ms;
    c->core.max_breadth = text->proxy.max_breadth;
    c->core.transactions = text->limits.transactions;
    c->core.shed_lag_ms = text->limits.lag_ms;
    c->core.shed_queue_percent = text->limits.queue_percent;
    c->core.max_targets = text->limits.targets;
    c->core.repair_rows = text->limits.repairs;
}

static int
fill_flood(struct config *c, struct buf *why)
{
    const struct sipd_strs *exempt = &c->text.limits.flood_exempt;
    struct hop_net *nets = arena_zalloc(&c->arena, (exempt->len + 1) * sizeof *nets);
    const char *wrong;

    if (!nets)
        return SIPD_ENOMEM;
    for (size_t i = 0; i < exempt->len; i++)
        if (!hop_net_read(exempt->at[i], &nets[i], &wrong))
            config_complain(c, "limits.flood_exempt", why, "\"%.*s\" %s", SPAN_ARG(exempt->at[i]),
                            wrong);
    c->core.flood = (struct flood_conf){
        .per_s = c->text.limits.source_per_s,
        .register_per_s = c->text.limits.source_register_per_s,
        .user_per_s = c->text.limits.user_per_s,
        .burst_s = c->text.limits.burst_s,
        .places = c->text.limits.sources,
        .drops = c->text.limits.flood == 1,
        .exempt = nets,
        .exempt_len = exempt->len,
    };
    return SIPD_OK;
}

static void
fill_net(struct config *c)
{
    const struct config_text *text = &c->text;

    c->net = (struct net_conf){
        .connections = text->limits.connections,
        .message_bytes = text->limits.message_bytes,
        .idle_ms = text->limits.idle_s * 1000,
        .message_ms = text->limits.message_s * 1000,
        .connect_ms = text->limits.connect_s * 1000,
        .queue_bytes = text->limits.queue_bytes,
        .held_bytes = (uint64_t)text->limits.held_mib << 20,
        .source_conns = text->limits.source_connections,
        .first_byte_ms = text->limits.first_byte_s * 1000,
        .first_message_ms = text->limits.first_message_s * 1000,
        .keepalive_ms = text->limits.keepalive_s * 1000,
    };
}

static int
fill(struct config *c, const char *module_dir, struct buf *why)
{
    const config_setting_t *root = config_root_setting(&c->tree);
    size_t said = why->len;
    struct conf_reader r;
    int err;

    conf_reader_init(&r, &c->arena, why, c->file);
    err = find_sections(root, module_dir, &r);
    if (err == SIPD_OK)
        err = conf_read(&r, root, (struct span){ NULL, 0 }, config_items, &c->text, sizeof c->text);
    if (err == SIPD_OK)
        err = read_listens(c, why);
    if (err != SIPD_OK)
        return err;
    err = config_repair_read(c, why);
    if (err != SIPD_OK)
        return err;
    check_domains(c, why);
    check_modules(c, why);
    check_paths(c, why);
    check_path_required(c, why);
    fill_core(c);
    err = fill_flood(c, why);
    if (err != SIPD_OK)
        return err;
    fill_net(c);
    return why->len == said ? SIPD_OK : SIPD_EINVAL;
}

int
config_load(struct config **out, const char *file, const char *module_dir, struct buf *why)
{
    struct config *c = mem_new(sizeof *c);
    int err;

    *out = NULL;
    if (!c)
        return SIPD_ENOMEM;
    config_init(&c->tree);
    arena_init(&c->arena, CONFIG_BYTES);
    c->file = mem_copy(span_of(file));
    err = c->file ? config_file_read(&c->tree, file, why) : SIPD_ENOMEM;
    if (err == SIPD_OK)
        err = fill(c, module_dir, why);
    if (err == SIPD_OK)
        *out = c;
    else
        config_free(&c);
    return err;
}

void
config_free(struct config **config)
{
    struct config *c = *config;

    *config = NULL;
    if (!c)
        return;
    arena_fini(&c->arena);
    config_destroy(&c->tree);
    mem_free(c->file);
    mem_free(c);
}

/* ---- the machine's addresses */

struct seek {
    const struct hop *wanted;
    bool found;
};

static int
compare(void *arg, const struct net_listen *one)
{
    struct seek *seek = arg;

    seek->found |= memcmp(one->at.ip, seek->wanted->ip, sizeof one->at.ip) == 0;
    return SIPD_OK;
}

/* Every address of 127.0.0.0/8 is this machine's, though no interface lists them. */
static bool
is_loopback4(const struct hop *at)
{
    return hop_is_v4(at) && at->ip[12] == 127;
}

/* The administrator may let programs bind addresses that are not here yet (a virtual one). */
static bool
may_bind_any(const struct hop *at)
{
    FILE *f = fopen(hop_is_v4(at) ? "/proc/sys/net/ipv4/ip_nonlocal_bind"
                                  : "/proc/sys/net/ipv6/ip_nonlocal_bind",
                    "re");
    int said = f ? getc(f) : EOF;

    if (f)
        fclose(f);
    return said == '1';
}

static bool
is_here(const struct hop *at)
{
    struct seek seek = { .wanted = at };
    struct net_listen all = { .at = *at };

    if (is_wildcard(at) || is_loopback4(at) || may_bind_any(at))
        return true;
    memset(all.at.ip, 0, hop_is_v4(at) ? 10 : 16);
    memset(all.at.ip + 12, 0, 4);
    return net_expand(&all, compare, &seek) == SIPD_OK && seek.found;
}

int
config_check_addresses(const struct config *c, struct buf *why)
{
    size_t said = why->len;
    char path[WHERE_BYTES], text[HOP_TEXT_BYTES];

    for (size_t i = 0; i < c->listens_len; i++)
        if (!c->listens[i].freebind && !is_here(&c->listens[i].at))
            config_complain(
                c, path_to(path, "listen", i, "address"), why,
                "%.*s is not an address of this machine; see them with: ip address; of one that "
                "comes later say freebind = true",
                SPAN_ARG(hop_ip_write(&c->listens[i].at, text)));
    return why->len == said ? SIPD_OK : SIPD_EINVAL;
}
