/* port/wake.h - "there is work": a datagram socket in the run folder. */
#ifndef PORT_WAKE_H
#define PORT_WAKE_H

#include "base/err.h"

/* Binds path (replacing a stale one), mode 0660, non-blocking. fd or -1. */
int wake_listen(const char *path, struct err *e);
/* Reads away whatever is queued. */
void wake_drain(int fd);

/* A sending socket, not bound: fd or -1. */
int wake_open(struct err *e);
/* Sends one datagram; nobody listening and a full queue are no errors. */
void wake_send(int fd, const char *path);

#endif
