/* tests/unit/test_siphash.c - base/siphash.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/siphash.h"

/* What another implementation says: with the key 0, 0 that of CPython 3.11
 * (PYTHONHASHSEED=0, hash() of bytes). */
static void
hashes_are_those_of_siphash_1_3(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} cases[] = {
	    {"a", UINT64_C(0x407448D2B89B1813)},
	    {"abcdefgh", UINT64_C(0x3F7B849C0B8E35EA)},
	    {"abcdefghijk", UINT64_C(0x14215FC65E2C3BD4)},
	};
	const uint64_t zero[2] = {0, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct siphash h;

		siphash_start(&h, zero);
		siphash_bytes(&h, cases[i].text, strlen(cases[i].text));
		assert_int_equal(siphash_end(&h), cases[i].want);
	}
}

/* With the key 00 01 .. 0f, of the empty text: Rust's own test vector. */
static void
the_key_counts(void **state)
{
	const uint64_t key[2] = {
	    UINT64_C(0x0706050403020100), UINT64_C(0x0F0E0D0C0B0A0908)};
	struct siphash h;

	(void)state;
	siphash_start(&h, key);
	assert_int_equal(siphash_end(&h), UINT64_C(0xABAC0158050FC4DC));
}

static void
portions_do_not_matter(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	const size_t len = sizeof(text) - 1;
	const uint64_t key[2] = {5, 6};
	struct siphash whole;
	uint64_t want;

	(void)state;
	siphash_start(&whole, key);
	siphash_bytes(&whole, text, len);
	want = siphash_end(&whole);
	for (size_t cut = 0; cut <= len; cut++) {
		struct siphash h;

		siphash_start(&h, key);
		for (size_t i = 0; i < cut; i++)
			siphash_byte(&h, (unsigned char)text[i]);
		siphash_bytes(&h, text + cut, len - cut);
		assert_int_equal(siphash_end(&h), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_are_those_of_siphash_1_3),
	    cmocka_unit_test(the_key_counts),
	    cmocka_unit_test(portions_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
