/*
 * The schema of the server's own settings: every key, its bounds, its default and its line of doc. Nothing stands here that
 * does not work yet.
 */
#include <config.h> /* of ./configure; in quotes it would be our neighbour */

#include "daemon/config.h"

/* An inner struct of config_text has no name of its own: these say where its members are. */
#define AT(member) .offset = offsetof(struct config_text, member) - BASE
/* clang-format off */
#define UINT(name, member, normal, low, high, docs)                                                \
    { .key = (name), .kind = SIPD_CONF_UINT, AT(member), .number = (normal), .min = (low),         \
      .max = (high), .doc = (docs) }
#define BOOL(name, member, normal, docs)                                                           \
    { .key = (name), .kind = SIPD_CONF_BOOL, AT(member), .number = (normal), .max = 1,             \
      .doc = (docs) }
#define CHOICE(name, member, words, normal, docs)                                                  \
    { .key = (name), .kind = SIPD_CONF_CHOICE, AT(member), .choices = (words), .number = (normal), \
      .doc = (docs) }
#define STRS(name, member, normal, low, high, docs)                                                \
    { .key = (name), .kind = SIPD_CONF_STRS, AT(member), .text = (normal), .min = (low),           \
      .max = (high), .doc = (docs) }
#define TEXT(name, member, normal, docs)                                                           \
    { .key = (name), .kind = SIPD_CONF_STR, AT(member), .text = (normal), .doc = (docs) }
#define GROUP(name, member, inner, docs)                                                           \
    { .key = (name), .kind = SIPD_CONF_GROUP, .offset = offsetof(struct config_text, member),      \
      .items = (inner), .doc = (docs) }
/* clang-format on */

static const char *const transports[] = { "udp", "tcp", "tls", NULL };
static const char *const rports[] = { "asked", "private", "always", NULL };
static const char *const modes[] = { "stateful", "stateless", NULL };
static const char *const forks[] = { "parallel", "q", NULL };
static const char *const relays[] = { "ours", "any", NULL };
static const char *const strays[] = { "drop", "verified", NULL };
static const char *const floods[] = { "503", "drop", NULL };
static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const outputs[] = { "stderr", NULL };

static const struct sipd_conf_item listen_items[] = {
    SIPD_CHOICE(config_listen, transport, transports, 0, "transport"),
    SIPD_STR_REQUIRED(config_listen, address,
                      "address to listen on; 0.0.0.0 or :: stands for every one of the machine's"),
    SIPD_UINT(config_listen, port, 5060, 0, 65535,
              "port; 0: any that is free; without this key 5060, or 5061 of tls"),
    SIPD_STR(config_listen, advertise, "",
             "host[:port] for Via and Record-Route instead of the address; it is ours then"),
    SIPD_CHOICE(config_listen, rport, rports, 0,
                "answer to the port that a request came from: when asked to (RFC 3581), also when "
                "Via has a private address, always"),
    SIPD_GROUP(config_listen, repair, config_repair_inherit_items,
               "the rules of repair for what comes here; \"inherit\" or not written: as there"),
    SIPD_BOOL(config_listen, freebind, false,
              "bind though the address is not there (yet), as one that moves between machines"),
    SIPD_BOOL(
        config_listen, alias, false,
        "reach who asks for it (RFC 5923) by the connection that it made, though nothing proves "
        "who it is; over TLS a certificate does, and this is not needed"),
    SIPD_BOOL(config_listen, trains, false,
              "hand datagrams of one length to one peer to the kernel as one, which cuts them (udp "
              "only): "
              "less work at a high load; a capture on this machine may show them uncut"),
    SIPD_CONF_END
};

#define BASE offsetof(struct config_text, proxy)
static const struct sipd_conf_item proxy_items[] = {
    CHOICE("mode", proxy.mode, modes, 0,
           "with transactions, or without any but between streams and datagrams (RFC 3261 §16.2, "
           "§16.11)"),
    BOOL(
        "record_route", proxy.record_route, true,
        "stay in the path of the dialogs that we let be made (RFC 3261 §16.6 step 4); if not, then "
        "only of those between IPv4 and IPv6, or TLS and none"),
    BOOL(
        "path", proxy.path, true,
        "stay in the path to phones that register elsewhere through us, if they know of it: by the "
        "flow that they registered over (RFC 3327 §5.2, RFC 5626 §5)"),
    BOOL("path_required", proxy.path_required, false,
         "require it: a REGISTER that is passed on gets Require: path, and a phone that does not "
         "know of it 421 (RFC 3327 §5.2)"),
    CHOICE("fork", proxy.fork, forks, 0,
           "all targets at once, or those of equal q together, best first"),
    UINT("no_answer_s", proxy.no_answer_s, 120, 0, 3600,
         "seconds that a group of targets may ring before the next is tried; 0: only timer_c_s "
         "ends it"),
    UINT("timer_c_s", proxy.timer_c_s, 185, 181, 3600,
         "seconds without a response that end a ringing branch (RFC 3261 §16.8)"),
    CHOICE("relay", proxy.relay, relays, 0,
           "who may send to foreign domains: known senders and dialogs of ours only, or any (an "
           "open relay)"),
    CHOICE("stray", proxy.stray, strays, 0,
           "what matches no transaction here: dropped (RFC 6026 §7.3), or passed on when it proves "
           "to be ours (a pair)"),
    BOOL("recurse", proxy.recurse, false,
         "try the Contacts of a 3xx ourselves instead of passing it on (RFC 3261 §16.7 step 4)"),
    UINT("trying_ms", proxy.trying_ms, 200, 0, 2000,
         "milliseconds until a 100 leaves when nothing else did (RFC 3261 §17.2.1)"),
    UINT("silent_ms", proxy.silent_ms, 4000, 0, 32000,
         "milliseconds that a host may say nothing to an INVITE before the next one of its name is "
         "tried; 0: until its transaction gives up after 32 s (RFC 3263 §4.3)"),
    UINT("max_breadth", proxy.max_breadth, 60, 1, 1000,
         "branches at once of a request that does not say, and the most that it may say (RFC 5393 "
         "§5.3.3)"),
    SIPD_CONF_END
};
#undef BASE

#define BASE offsetof(struct config_text, limits)
static const struct sipd_conf_item limits_items[] = {
    UINT("transactions", limits.transactions, 2000000, 100, 16000000,
         "most transactions held; while more than half of them are pending, new requests outside "
         "dialogs get 503"),
    UINT("connections", limits.connections, 100000, 1, 1000000, "most connections alive"),
    UINT("repairs", limits.repairs, 4096, 16, 1000000,
         "most rows of show repairs: one for each peer, rule and verdict"),
    UINT("message_bytes", limits.message_bytes, 65535, 4096, 262144, "largest message"),
    UINT("targets", limits.targets, 32, 1, 1000, "most targets of one request"),
    UINT("queue_bytes", limits.queue_bytes, 1048576, 65536, 67108864,
         "most bytes waiting to leave on one connection or socket"),
    UINT("idle_s", limits.idle_s, 900, 32, 86400, /* 64*T1: RFC 3261 §18 */
         "seconds without traffic after which a connection is closed"),
    UINT("message_s", limits.message_s, 32, 1, 600,
         "seconds in which a message that has begun must be whole; who reads nothing of what waits "
         "for him twice as long is closed"),
    UINT("connect_s", limits.connect_s, 10, 1, 120,
         "seconds in which a connection must be made, and hands shaken"),
    UINT("first_byte_s", limits.first_byte_s, 10, 0, 3600,
         "seconds in which who connects must say something; 0: no limit"),
    UINT("first_message_s", limits.first_message_s, 32, 0, 3600,
         "seconds in which who connects must have sent a message or a keep-alive; 0: no limit"),
    UINT("keepalive_s", limits.keepalive_s, 120, 0, 3600,
         "seconds without traffic after which a connection is asked for a sign of life (RFC 5626 "
         "§4.4.1); 0: never"),
    UINT("source_connections", limits.source_connections, 10000, 0, 1000000,
         "most connections that one address, or one /64 of IPv6, may make; 0: no limit"),
    UINT(
        "held_mib", limits.held_mib, 256, 0, 65536,
        "most MiB of messages that wait to leave or have not come whole, on all connections; 0: no "
        "limit"),
    UINT(
        "lag_ms", limits.lag_ms, 100, 10, 10000,
        "milliseconds that turns of the loop may take, one after another; above, more and more new "
        "requests outside dialogs get 503"),
    UINT(
        "queue_percent", limits.queue_percent, 50, 5, 100,
        "how full the kernel's queue of datagrams to a listener may stay; above, more and more new "
        "requests outside dialogs get 503"),
    UINT("source_per_s", limits.source_per_s, 0, 0, 100000,
         "new requests a second from one address (IPv6: one /64); 0: no limit"),
    UINT("source_register_per_s", limits.source_register_per_s, 0, 0, 100000,
         "REGISTERs a second from one address; 0: no limit"),
    UINT("user_per_s", limits.user_per_s, 0, 0, 100000,
         "requests a second of one authenticated user; more get 503; 0: no limit"),
    UINT("burst_s", limits.burst_s, 5, 1, 40, "so many seconds' worth may come at once"),
    UINT("sources", limits.sources, 16384, 64, 4194304,
         "addresses and users whose requests are counted; those quiet longest make room"),
    CHOICE("flood", limits.flood, floods, 0, "what is above its source's limits: 503, or drop"),
    STRS("flood_exempt", limits.flood_exempt, "", 0, 1000,
         "networks without such limits: trunks, gateways"),
    SIPD_CONF_END
};
#undef BASE

#define BASE offsetof(struct config_text, control)
static const struct sipd_conf_item control_items[] = {
    TEXT("socket", control.socket, SIPD_CONTROL_SOCKET,
         "UNIX socket that sipctl talks to; a change needs a restart"),
    TEXT("group", control.group, "",
         "group whose members may use the socket too; a change needs a restart"),
    SIPD_CONF_END
};
#undef BASE

#define BASE offsetof(struct config_text, explain)
static const struct sipd_conf_item explain_items[] = {
    BOOL("always", explain.always, false,
         "keep what is decided about every request, so that sipctl explain CALL-ID knows calls of "
         "the past; if not, only while sipctl trace runs"),
    UINT("memory_mib", explain.memory_mib, 8, 1, 1024,
         "memory for what is decided, MiB; the oldest goes first; taken when first needed"),
    SIPD_CONF_END
};
#undef BASE

#define BASE offsetof(struct config_text, log)
static const struct sipd_conf_item log_items[] = {
    CHOICE("level", log.level, levels, LOG_LVL_INFO, "the least important lines that are written"),
    CHOICE("to", log.to, outputs, 0, "where lines go"), SIPD_CONF_END
};
#undef BASE

#define BASE 0u
const struct sipd_conf_item config_items[] = {
    SIPD_STRS(config_text, domains, "", 0, 1000,
              "domains that are ours, besides the addresses that we listen on and advertise"),
    SIPD_GROUPS(config_text, listen, config_listen, listen_items, 1, 256,
                "listeners, as ( { transport = \"udp\"; address = \"0.0.0.0\"; port = 5060; } )"),
    SIPD_STRS(config_text, modules, "", 0, 64, "modules, by their names"),
    GROUP("proxy", proxy, proxy_items, "what the proxy does"),
    GROUP("repair", repair, config_repair_items,
          "what is done about messages that are against the grammar and can be understood"),
    GROUP("limits", limits, limits_items, "ceilings"),
    TEXT("state_dir", state_dir, SIPD_STATE_DIR,
         "directory of sipd.key and of modules' files; a change needs a restart"),
    GROUP("control", control, control_items, "the door of sipctl"),
    GROUP("explain", explain, explain_items, "what sipctl explain and sipctl trace are told"),
    GROUP("log", log, log_items, "log lines"),
    UINT("drain_s", drain_s, 10, 0, 3600,
         "seconds that pending requests are given when sipd is told to end"),
    TEXT("user", user, "sipd",
         "user that sipd becomes when root starts it; a change needs a restart"),
    TEXT("group", group, "sipd",
         "group that sipd becomes when root starts it; a change needs a restart"),
    SIPD_CONF_END
};
