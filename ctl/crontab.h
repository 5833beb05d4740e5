/* ctl/crontab.h - the crontab entry of outlook-addin-renew. Pure. */
#ifndef CTL_CRONTAB_H
#define CTL_CRONTAB_H

#include <stdint.h>

#include "base/buf.h"

/* Appends the lines for crontab(1): schedule as configured, the program, its
 * configuration and (unless NULL) its database, quoted for sh and cron. */
void crontab_write(struct buf *out, const char *schedule, const char *program,
    const char *config, const char *database);

/* Appends a field of a schedule: "*", or the values of low..high whose bits are
 * set, with width digits at least; names instead of numbers unless NULL. */
void crontab_add_field(struct buf *out, uint64_t bits, int low, int high,
    int width, const char *const *names);

#endif
