/*
 * Messages as packets, into a file that only its owner can read.
 */
#include "sipctl/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sipctl/base64.h"

enum { PACKETS_BYTES = 256 << 20 };

void
capture_init(struct capture *capture)
{
    *capture = (struct capture){ .fd = -1 };
    buf_init(&capture->packets, PACKETS_BYTES);
}

void
capture_close(struct capture *capture)
{
    if (capture->fd >= 0)
        close(capture->fd);
    buf_fini(&capture->packets);
    capture_init(capture);
}

bool
capture_flush(struct capture *capture)
{
    struct span rest = buf_span(&capture->packets);

    while (capture->fd >= 0 && rest.len > 0) {
        ssize_t written = write(capture->fd, rest.at, rest.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            fprintf(stderr, "sipctl: %s: %s\n", capture->path, strerror(errno));
            return false;
        }
        rest = span_skip(rest, (size_t)written);
    }
    buf_clear(&capture->packets);
    return true;
}

static int
open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return dup(STDOUT_FILENO);
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

bool
capture_open(struct capture *capture, const char *path)
{
    bool is_file = path && strcmp(path, "-") != 0;

    capture->path = path;
    if (!path)
        return true;
    if (!is_file && isatty(STDOUT_FILENO)) {
        fputs("sipctl: a capture is nothing for a terminal; name a file\n", stderr);
        return false;
    }
    capture->fd = open_file(path);
    if (capture->fd < 0) {
        fprintf(stderr, "sipctl: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(stderr,
            "sipctl: %s holds secrets: the whole messages, with Digest responses, cookies and "
            "keys%s\n",
            is_file ? path : "the capture",
            is_file ? "; only its owner can read it (mode 0600)" : "");
    pcap_begin(&capture->pcap, &capture->packets);
    return capture_flush(capture);
}

void
capture_keep(struct capture *capture, const struct event *event)
{
    struct pcap_message message = {
        .at_us = event->at_us,
        .stream = !span_ieq(event->transport, SPAN("udp")),
        .from = event->is_sent ? event->local : event->peer,
        .to = event->is_sent ? event->peer : event->local,
    };
    struct buf bytes;

    buf_init(&bytes, PACKETS_BYTES);
    if (base64_read(event->bytes, &bytes))
        message.bytes = buf_span(&bytes);
    if (message.bytes.len == 0 || !pcap_write(&capture->pcap, &message, &capture->packets))
        capture->unwritten++;
    if (bytes.bytes)
        explicit_bzero(bytes.bytes, bytes.cap);
    buf_fini(&bytes);
}
