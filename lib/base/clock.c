/* base/clock.c - see clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t
clock_read_us(clockid_t id)
{
	struct timespec now = {0, 0};

	/* Can not fail for these clocks on any Linux we run on. */
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t
clock_wall_ms(void)
{
	return clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_mono_us(void)
{
	return clock_read_us(CLOCK_MONOTONIC);
}

void
clock_pause_ms(int64_t ms)
{
	struct timespec left;

	if (ms <= 0)
		return;
	left.tv_sec = (time_t)(ms / 1000);
	left.tv_nsec = (long)(ms % 1000) * 1000000;
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}
