/* ctl/systemd.h - the units that run the renewal by systemd. Pure. */
#ifndef CTL_SYSTEMD_H
#define CTL_SYSTEMD_H

#include "base/buf.h"
#include "rule/cron.h"

/*
 * The calendar events that fire when the expression does (OnCalendar= lines,
 * see systemd.time(7)); two where day of month or day of week may fire.
 * Everything that cron can express systemd can; only around a change of the
 * clock do they differ.
 */
void systemd_write_calendar(struct buf *out, const struct cron *cron);

/* outlook-addin-renew.service and .timer, each under a line with its file
 * name. database NULL: as configured. by_secret: with CLIENT_SECRET, else
 * addin.json names what it signs in with. */
void systemd_write_units(struct buf *out, const struct cron *cron,
    const char *program, const char *config, const char *database,
    bool by_secret);

#endif
