/*
 * A server at which bytes are thrown that no phone should send.
 */
#include "live/bad_rig.h"

#include <stdio.h>

struct server bad_server;
char bad_message[BAD_MESSAGE_BYTES];
size_t bad_message_len;

void
bad_start_with(const char *limits)
{
    char settings[256];

    snprintf(settings, sizeof settings,
             "modules = [ \"registrar\" ];\nregistrar = { store = \"ram\"; };\nlimits = { %s };\n"
             "drain_s = 1;",
             limits);
    server_make(&bad_server, "sipd", settings);
    server_start(&bad_server);
}

void
bad_start(void)
{
    bad_start_with("first_byte_s = 0; first_message_s = 0; message_s = 600;");
}

void
bad_stop(void)
{
    server_stop(&bad_server);
}

void
bad_write(bool tcp, const char *text)
{
    bad_message_len = throw_write(bad_message, sizeof bad_message, tcp, text);
}
