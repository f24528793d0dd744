/*
 * sipd, the program: its options and its exit codes. All else is the daemon's life.
 */
#include "daemon/daemon.h"

#include <config.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/restart.h"
#include "host/module_dir.h"
#include "scan/scan.h"

enum exit_code {
    EXIT_FINE = 0,    /* told to end, and ended; -t: the configuration is right */
    EXIT_CONFIG = 1,  /* the configuration is wrong */
    EXIT_OPTIONS = 2, /* the command line is wrong */
    /* the configuration is right, but cannot be had: a port is in use, a right is missing */
    EXIT_START = 3,
    EXIT_LOOP = 4, /* the system broke the loop */
};

enum { WHY_BYTES = 1 << 20, MODULES_MAX = 256, NAMES_BYTES = 1 << 16 };

static void
usage(FILE *to)
{
    fputs("usage: sipd [-f FILE] [-M MODULE_DIR] [-t | -S | -V]\n"
          "  -f FILE        configuration (" SIPD_CONF_FILE ")\n"
          "  -M MODULE_DIR  where modules are (" SIPD_MODULE_DIR ")\n"
          "  -t             check the configuration and end\n"
          "  -S             print every setting as JSON and end\n"
          "  -V             print the version and end\n",
          to);
}

static void
print_version(void)
{
    printf("sipd " SIPD_VERSION "\nlibevent %s, %s, libconfig %d.%d, jansson %s\n",
           event_get_version(), OpenSSL_version(OPENSSL_VERSION), LIBCONFIG_VER_MAJOR,
           LIBCONFIG_VER_MINOR, jansson_version_str());
}

/* ---- -S */

static void
put_module(void *arg, const struct host_module_info *info)
{
    json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:s, s:o}", "key", info->name, "kind",
                                         "group", "module", info->name, "doc",
                                         "settings of the module of this name", "items",
                                         conf_items_json(info->items)));
}

/* All modules of the directory, whatever a configuration loads. */
static int
put_modules(struct daemon *d, json_t *schema, struct buf *why)
{
    struct host_ports ports = {
        .clock = &d->clock, .rand = &d->rand, .counters = &d->counters, .log = &d->log
    };
    struct host_source source = { .dir = d->module_dir,
                                  .file = d->module_dir,
                                  .schemas_only = true };
    struct span names[MODULES_MAX];
    struct host *host = NULL;
    struct arena arena;
    size_t len;
    int err = host_new(&host, &ports);

    if (err != SIPD_OK)
        return err;
    arena_init(&arena, NAMES_BYTES);
    len = module_dir_list(d->module_dir, &arena, names, MODULES_MAX);
    for (size_t i = 0; i < len; i++)
        if (host_open(host, &source, names[i], why) != SIPD_OK)
            err = SIPD_EINVAL;
    host_each_module(host, put_module, schema);
    host_free(&host);
    arena_fini(&arena);
    return err;
}

static enum exit_code
print_schema(struct daemon *d, struct buf *why)
{
    json_t *schema = conf_items_json(config_items);
    int err = schema ? put_modules(d, schema, why) : SIPD_ENOMEM;

    if (schema && json_dumpf(schema, stdout, JSON_INDENT(2)) != 0)
        err = SIPD_EIO;
    putchar('\n');
    json_decref(schema);
    return err == SIPD_OK && fflush(stdout) == 0 ? EXIT_FINE : EXIT_CONFIG;
}

/* ---- -t, and the server itself */

static enum exit_code
check(struct daemon *d, struct buf *why)
{
    if (daemon_check(d, why) != SIPD_OK)
        return EXIT_CONFIG;
    printf("%s: fine\n", d->conf_file);
    return EXIT_FINE;
}

static enum exit_code
serve(struct daemon *d, struct buf *why)
{
    int err = daemon_start(d, why);

    if (err != SIPD_OK)
        return err == SIPD_EINVAL ? EXIT_CONFIG : EXIT_START;
    return daemon_run(d) == SIPD_OK ? EXIT_FINE : EXIT_LOOP;
}

/* The best of this machine, unless SIPD_SCAN names another: should wide registers ever be suspected, plain does without. */
static void
choose_scanner(void)
{
    const char *name = getenv("SIPD_SCAN");

    if (!scan_choose(span_of(name)))
        fprintf(stderr, "SIPD_SCAN=%s: no such scanner here; %s reads\n", name, scan_chosen->name);
}

int
main(int argc, char **argv)
{
    const char *conf_file = SIPD_CONF_FILE, *module_dir = SIPD_MODULE_DIR;
    char mode = 0;
    enum exit_code code;
    struct daemon d;
    struct buf why;

    for (int option; (option = getopt(argc, argv, "f:M:tSVh")) != -1;)
        switch (option) {
        case 'f': conf_file = optarg; break;
        case 'M': module_dir = optarg; break;
        case 't':
        case 'S':
        case 'V':
        case 'h': mode = (char)option; break;
        default: usage(stderr); return EXIT_OPTIONS;
        }
    if (optind < argc) {
        usage(stderr);
        return EXIT_OPTIONS;
    }
    if (mode == 'V' || mode == 'h') {
        mode == 'V' ? print_version() : usage(stdout);
        return EXIT_FINE;
    }
    choose_scanner();
    buf_init(&why, WHY_BYTES);
    daemon_init(&d, conf_file, module_dir);
    restart_init(&d, argv);
    code = mode == 'S' ? print_schema(&d, &why) : mode == 't' ? check(&d, &why) : serve(&d, &why);
    fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&why)));
    daemon_fini(&d);
    buf_fini(&why);
    if (!d.again)
        return (int)code;
    restart_exec(&d);
    fprintf(stderr, "%s: cannot be started again: %s\n", d.program, strerror(errno));
    return (int)EXIT_START;
}
