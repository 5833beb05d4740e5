/* tests/unit/test_clock.c - base/clock.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static void
the_wall_clock_is_unix_time_in_milliseconds(void **state)
{
	int64_t before = (int64_t)time(NULL);
	int64_t now = clock_wall_ms();

	(void)state;
	assert_true(now >= before * 1000);
	assert_true(now <= ((int64_t)time(NULL) + 1) * 1000);
}

static void
the_monotonic_clocks_agree_and_do_not_go_back(void **state)
{
	int64_t a = clock_mono_us();
	int64_t b = clock_mono_ms();
	int64_t c = clock_mono_us();

	(void)state;
	assert_true(a / 1000 <= b && b <= c / 1000);
}

static void
a_pause_lasts_at_least_as_long_as_asked(void **state)
{
	int64_t start = clock_mono_us();

	(void)state;
	clock_pause_ms(15);
	assert_true(clock_mono_us() - start >= 15000);
	start = clock_mono_us();
	clock_pause_ms(0);
	clock_pause_ms(-5);
	assert_true(clock_mono_us() - start < 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_wall_clock_is_unix_time_in_milliseconds),
	    cmocka_unit_test(the_monotonic_clocks_agree_and_do_not_go_back),
	    cmocka_unit_test(a_pause_lasts_at_least_as_long_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
