/*
 * baresip as a phone without a screen: an account, a file for a microphone, and a socket that takes commands.
 */
#include "live/phone.h"

#include <arpa/inet.h>
#include <check.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOUND_HZ = 8000, SOUND_S = 60 };

static void
put_u32(FILE *f, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        fputc((int)(n >> (8 * i) & 255), f);
}

static void
put_u16(FILE *f, unsigned n)
{
    fputc((int)(n & 255), f);
    fputc((int)(n >> 8 & 255), f);
}

/* A tone of 440 Hz that lasts longer than any call, as the only kind of WAV that baresip plays without trouble: 8 kHz, mono, 16 bits. */
static const char *
write_sound(void)
{
    static char path[256];
    uint32_t bytes = SOUND_HZ * SOUND_S * 2;
    FILE *f;

    snprintf(path, sizeof path, "%s/tone.wav", proc_dir());
    if (access(path, F_OK) == 0)
        return path; /* somebody may be playing it */
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs("RIFF", f);
    put_u32(f, 36 + bytes);
    fputs("WAVEfmt ", f);
    put_u32(f, 16);
    put_u16(f, 1);
    put_u16(f, 1);
    put_u32(f, SOUND_HZ);
    put_u32(f, SOUND_HZ * 2);
    put_u16(f, 2);
    put_u16(f, 16);
    fputs("data", f);
    put_u32(f, bytes);
    for (int i = 0; i < SOUND_HZ * SOUND_S; i++)
        put_u16(f, (unsigned)(int)(8000 * sin(2 * 3.14159265 * 440 * i / SOUND_HZ)) & 0xffff);
    fclose(f);
    return path;
}

static void
write_config(struct phone *p)
{
    const struct phone_conf *c = &p->conf;
    bool v6 = strchr(c->ip, ':') != NULL;
    char name[96], bracketed[64], tls[640];

    snprintf(tls, sizeof tls, "%s%s%s%s%s%s", c->ca ? "sip_cafile " : "", c->ca ? c->ca : "",
             c->ca ? "\n" : "", c->cert ? "sip_certificate " : "", c->cert ? c->cert : "",
             c->cert ? "\n" : "");
    snprintf(bracketed, sizeof bracketed, v6 ? "[%s]" : "%s", c->ip);
    snprintf(name, sizeof name, "%s/config", p->name);
    proc_file(
        name,
        "poll_method epoll\nsip_listen %s:%u\nnet_interface %s\n"
        "audio_source aufile,%s\naudio_player aubridge,nil\naudio_alert aubridge,nil\n"
        "ausrc_srate 8000\nauplay_srate 8000\nrtp_stats no\n"
        "module_path /usr/lib/baresip/modules\n"
        "module g711.so\nmodule aufile.so\nmodule aubridge.so\nmodule sndfile.so\nsnd_path %s/%s\n"
        "module_app account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        "ctrl_tcp_listen 127.0.0.1:%u\n%s%s",
        bracketed, p->port, c->ip, write_sound(), proc_dir(), p->name, p->ctl_port, tls,
        c->uuid ? "module_tmp uuid.so\n" : "");
    if (c->uuid) {
        snprintf(name, sizeof name, "%s/uuid", p->name);
        proc_file(name, "%s", c->uuid);
    }
    snprintf(name, sizeof name, "%s/accounts", p->name);
    proc_file(name,
              "<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;outbound=\"sip:%s;transport=%s\";"
              "regint=60;"
              "audio_codecs=PCMU;%s%s\n",
              c->user, c->domain, c->transport, c->user, c->password, c->server, c->transport,
              c->uuid ? "sipnat=outbound;" : "", c->extra ? c->extra : "");
    snprintf(name, sizeof name, "%s/contacts", p->name);
    proc_file(name, "%s", "");
}

static void
connect_ctl(struct phone *p)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(p->ctl_port) };
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->ctl = socket(AF_INET, SOCK_STREAM, 0);
    while (connect(p->ctl, (struct sockaddr *)&at, sizeof at) != 0) {
        ck_assert_msg(proc_now_ms() < until, "%s has no command socket:\n%s", p->name,
                      proc_output(&p->proc));
        proc_pause(20);
    }
}

void
phone_start(struct phone *p, const struct phone_conf *conf)
{
    static unsigned serial;
    char folder[256];
    const char *argv[] = { "baresip", "-f", folder, "-s", NULL };

    memset(p, 0, sizeof *p);
    p->conf = *conf;
    p->port = proc_port(conf->ip);
    p->ctl_port = proc_port("127.0.0.1");
    snprintf(p->name, sizeof p->name, "%s-%u", conf->user, ++serial);
    write_config(p);
    snprintf(folder, sizeof folder, "%s/%s", proc_dir(), p->name);
    proc_start(&p->proc, p->name, argv);
    connect_ctl(p);
}

void
phone_do(struct phone *p, const char *command, const char *params)
{
    char json[512], netstring[600];
    int len =
        snprintf(json, sizeof json, "{\"command\":\"%s\",\"params\":\"%s\"}", command, params);
    int all = snprintf(netstring, sizeof netstring, "%d:%s,", len, json);

    ck_assert_int_eq(send(p->ctl, netstring, (size_t)all, MSG_NOSIGNAL), all);
}

void
phone_wait(struct phone *p, const char *words)
{
    ck_assert_msg(proc_says(&p->proc, words, PROC_PATIENCE_MS), "%s did not say \"%s\":\n%s",
                  p->name, words, proc_output(&p->proc));
}

/*
 * Samples louder than a line's hiss in what sndfile.so wrote down of the decoded sound (16 bits, behind a WAV head).
 */
static unsigned
loud_samples(const char *path)
{
    FILE *f = fopen(path, "rb");
    unsigned loud = 0;
    int low, high;

    if (!f || fseek(f, 44, SEEK_SET) != 0)
        low = EOF;
    else
        low = getc(f);
    for (; low != EOF && (high = getc(f)) != EOF; low = getc(f))
        loud += abs((int16_t)(low | high << 8)) > 1000;
    if (f)
        fclose(f);
    return loud;
}

static bool
has_heard(const struct phone *p)
{
    char pattern[256];
    glob_t files;
    bool heard = false;

    snprintf(pattern, sizeof pattern, "%s/%s/dump-*-dec.wav", proc_dir(), p->name);
    if (glob(pattern, 0, NULL, &files) != 0)
        return false;
    for (size_t i = 0; i < files.gl_pathc; i++)
        heard |= loud_samples(files.gl_pathv[i]) > SOUND_HZ / 10;
    globfree(&files);
    return heard;
}

void
phone_hears(struct phone *p)
{
    uint64_t until = proc_now_ms() + PROC_PATIENCE_MS;

    while (!has_heard(p)) {
        ck_assert_msg(proc_now_ms() < until, "%s heard nothing:\n%s", p->name,
                      proc_output(&p->proc));
        proc_pause(50);
    }
}

void
phone_stop(struct phone *p)
{
    if (p->ctl > 0)
        close(p->ctl);
    p->ctl = -1;
    proc_stop(&p->proc);
}
