/*
 * A host in a box: its ports.
 */
#include "unit/host_rig.h"

struct host_rig hosting;

static int
port_post(void *io, void (*fn)(void *arg), void *arg)
{
    (void)io;
    hosting.wake = fn;
    hosting.wake_arg = arg;
    hosting.wakes++;
    return SIPD_OK;
}

static bool
port_is_ours(void *io, struct span domain, uint16_t port)
{
    (void)io;
    return span_ieq(domain, SPAN("example.com")) && (port == 0 || port == 5060);
}

static struct span
port_domain(void *io, size_t n)
{
    (void)io;
    return n == 0 ? SPAN("example.com") : (struct span){ NULL, 0 };
}

static struct span
port_listener_text(void *io, uint16_t listener)
{
    (void)io;
    return listener == 1 ? SPAN("udp:198.51.100.1:5060") : (struct span){ NULL, 0 };
}

static uint16_t
port_listener_find(void *io, struct span text)
{
    (void)io;
    return span_eq(text, SPAN("udp:198.51.100.1:5060"));
}

static void
port_answered(void *io, uint64_t answer_id, const struct sipd_answer *answer)
{
    (void)io;
    hosting.answered = answer_id;
    buf_clear(&hosting.answer);
    answer_write(answer, &hosting.answer);
}

static void
sink(void *self, enum log_level level, struct span line)
{
    (void)self;
    buf_put(&hosting.log, span_of(log_level_name(level)));
    buf_put(&hosting.log, SPAN(" "));
    buf_put(&hosting.log, line);
    buf_put(&hosting.log, SPAN("\n"));
}

void
host_rig_begin(void)
{
    rig_begin();
    hosting = (struct host_rig){ .source = { .dir = "/nowhere", .file = "sipd.conf" } };
    buf_init(&hosting.why, 1 << 16);
    buf_init(&hosting.answer, 1 << 16);
    buf_init(&hosting.log, 1 << 16);
    config_init(&hosting.tree);
    rig.log = (struct log){ .level = LOG_LVL_DEBUG, .sink = sink };
    hosting.ports = (struct host_ports){
        .post = port_post,
        .is_ours = port_is_ours,
        .domain = port_domain,
        .listener_text = port_listener_text,
        .listener_find = port_listener_find,
        .answered = port_answered,
        .clock = &rig.clock,
        .rand = &rig.rand,
        .counters = &rig.counters,
        .log = &rig.log,
        .state_dir = SPAN("/var/lib/sipd"),
    };
    ck_assert_int_eq(host_new(&hosting.host, &hosting.ports), SIPD_OK);
}

void
host_rig_end(void)
{
    host_free(&hosting.host);
    ck_assert_ptr_null(hosting.host);
    rig.log.sink = NULL;
    config_destroy(&hosting.tree);
    buf_fini(&hosting.why);
    buf_fini(&hosting.answer);
    buf_fini(&hosting.log);
    rig_end();
}

void
host_rig_conf(const char *text)
{
    ck_assert_int_eq(config_read_string(&hosting.tree, text), CONFIG_TRUE);
    hosting.source.root = config_root_setting(&hosting.tree);
}

int
host_rig_open(const struct sipd_module *module)
{
    return host_open_static(hosting.host, &hosting.source, module, &hosting.why);
}

int
host_rig_start(void)
{
    const struct prf_key key = { 1, 2 };

    return host_start(hosting.host, &hosting.source, rig.core, &key, &hosting.why);
}

enum host_ran
host_rig_run(const char *words, const char *input, uint64_t *later)
{
    struct span list[32], rest = span_of(words);
    struct host_ask ask = { .words = list, .input = span_of(input), .by = SPAN("uid 7") };
    struct sipd_answer *answer;
    enum host_ran ran;

    while (rest.len > 0)
        list[ask.len++] = span_cut(&rest, ' ');
    buf_clear(&hosting.answer);
    ran = host_run(hosting.host, &ask, &answer, later);
    if (ran == HOST_ANSWERED)
        answer_write(answer, &hosting.answer);
    answer_free(&answer);
    return ran;
}

void
host_rig_says_at(const char *words, const char *json, int line)
{
    uint64_t later;

    if (host_rig_run(words, NULL, &later) != HOST_ANSWERED)
        ck_abort_msg("line %d: not answered: %s", line, words);
    must_text_at(buf_span(&hosting.answer), json, line);
}

void
host_rig_wake(void)
{
    void (*wake)(void *arg) = hosting.wake;

    hosting.wake = NULL;
    if (wake)
        wake(hosting.wake_arg);
}
