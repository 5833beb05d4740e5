/* base/tz.h - time zones from tzdata, without touching TZ. */
#ifndef BASE_TZ_H
#define BASE_TZ_H

#include <stdint.h>

#include "base/err.h"

struct tz;

/* Reads a compiled zone ("Europe/Zurich") from the system's zoneinfo folder
 * ($TZDIR, else /usr/share/zoneinfo); "UTC" needs no file. ERR_INPUT for a
 * bad name, ERR_CONFIG when absent. NULL name: the process's own zone (TZ,
 * else /etc/localtime, else UTC). */
struct tz *tz_load(const char *name, struct err *e);
void tz_free(struct tz *z); /* NULL is allowed */

/* Offset from UTC in seconds (east positive) in force at ms. A NULL zone is
 * UTC here and below. */
int32_t tz_offset_at(const struct tz *z, int64_t ms);

/* The first instant after ms at which the offset may change; INT64_MAX when
 * there is none. */
int64_t tz_next_change(const struct tz *z, int64_t ms);

/* The first instant of the civil day year-month-day in the zone, or of the
 * first day that exists after it. Years 1 to 9999. */
int64_t tz_day_start(const struct tz *z, int year, int month, int day);

#endif
