/* base/clock.h - the only place that asks for the time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Unix time in milliseconds: for everything stored or sent. */
int64_t clock_wall_ms(void);

/* Monotonic milliseconds / microseconds: for waits and durations only. */
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* Blocks the calling thread. For lock polling of one-shot programs and the
 * supervisor, at its start and as its last resort, only; everything else waits
 * in the loop. */
void clock_pause_ms(int64_t ms);

#endif
