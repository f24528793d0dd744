/*
 * What systemd is told (sd_notify(3)): a datagram to $NOTIFY_SOCKET; nothing if there is none.
 */
#ifndef DAEMON_SD_NOTIFY_H
#define DAEMON_SD_NOTIFY_H

/* Ready to serve; after a reload too. */
void sd_notify_ready(void);
/* A reload begins; sd_notify_ready() ends it. */
void sd_notify_reloading(void);
void sd_notify_stopping(void);

#endif
