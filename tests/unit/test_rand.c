/* tests/unit/test_rand.c - base/rand.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rand.h"
#include "base/text.h"

static void
tokens_are_43_characters_and_all_different(void **state)
{
	enum { COUNT = 200 };
	char tokens[COUNT][44];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		rand_token(tokens[i]);
		assert_int_equal(strlen(tokens[i]), 43);
		assert_true(text_is_id(tokens[i], 43));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(tokens[i], tokens[j]);
	}
}

static void
guids_are_of_version_4(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		char guid[37];
		char lower[37];

		rand_guid(guid);
		assert_true(text_guid_lower(lower, guid));
		assert_string_equal(guid, lower);
		assert_int_equal(guid[14], '4');
		assert_non_null(strchr("89ab", guid[19]));
	}
}

static void
below_reaches_every_value_and_none_above(void **state)
{
	int seen[7] = {0};

	(void)state;
	for (int i = 0; i < 7000; i++)
		seen[rand_below(7)]++;
	/* 1000 each on average, sigma 29: ten of them. */
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 710, 1290);
	assert_true(rand_below(1) == 0);
	rand_below(UINT64_MAX);
	rand_below((UINT64_C(1) << 63) + 1);
}

static void
below_favours_no_part_of_a_great_range(void **state)
{
	const uint64_t third = UINT64_C(1) << 62;
	int low = 0;

	(void)state;
	/* Without rejection the lowest third would come up half the time. */
	for (int i = 0; i < 3000; i++)
		low += rand_below(3 * third) < third;
	assert_in_range(low, 740, 1260);
}

static void
every_byte_is_filled(void **state)
{
	unsigned char bytes[300];
	int same = 0;

	(void)state;
	memset(bytes, 0xAA, sizeof(bytes));
	rand_bytes(bytes, sizeof(bytes) - 1);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		same += bytes[i] == 0xAA;
	assert_true(same < 20);
	assert_int_equal(bytes[299], 0xAA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tokens_are_43_characters_and_all_different),
	    cmocka_unit_test(guids_are_of_version_4),
	    cmocka_unit_test(below_reaches_every_value_and_none_above),
	    cmocka_unit_test(below_favours_no_part_of_a_great_range),
	    cmocka_unit_test(every_byte_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
