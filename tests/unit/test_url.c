/* tests/unit/test_url.c - base/url.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"

static void
encoding_leaves_only_the_unreserved(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(url_encode(&b, "aZ9-._~ /?&=+%\xC3\xBC\0x", 18), 0);
	assert_string_equal(
	    buf_text(&b), "aZ9-._~%20%2F%3F%26%3D%2B%25%C3%BC%00x");
	buf_reset(&b);
	assert_int_equal(url_form_encode(&b, "a b+c~\n"), 0);
	assert_string_equal(buf_text(&b), "a+b%2Bc~%0A");
	buf_clear(&b);
	buf_init(&b, 2);
	assert_int_equal(url_encode(&b, " ", 1), -1);
	buf_clear(&b);
}

static void
form_decoding_decodes_exactly_once(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: refused */
	} cases[] = {
	    {"", ""},
	    {"a+b%20c", "a b c"},
	    {"%2B%2b", "++"},
	    {"%2541", "%41"},
	    {"%0d%0A", "\r\n"},
	    {"%C3%BC", "\xC3\xBC"},
	    {"<script>", "<script>"},
	    {"%", NULL},
	    {"%4", NULL},
	    {"a%zz", NULL},
	    {"%4g", NULL},
	    {"%g4", NULL},
	    {"%%41", NULL},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long n = url_form_decode(
		    cases[i].text, strlen(cases[i].text), out, sizeof(out));

		if (cases[i].want == NULL) {
			assert_int_equal(n, -1);
			continue;
		}
		assert_int_equal(n, strlen(cases[i].want));
		assert_memory_equal(out, cases[i].want, (size_t)n);
	}
	assert_int_equal(url_form_decode("%00", 3, out, 1), 1);
	assert_int_equal(out[0], 0);
	assert_int_equal(url_form_decode("abc", 3, out, 3), 3);
	assert_int_equal(url_form_decode("abc", 3, out, 2), -1);
	/* An escape that ends behind the text is none. */
	assert_int_equal(url_form_decode("%41", 2, out, 3), -1);
}

static void
what_was_encoded_decodes_to_itself(void **state)
{
	char all[256];
	char out[256];
	struct buf b;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	buf_init(&b, 1000);
	url_encode(&b, all, sizeof(all));
	assert_int_equal(url_form_decode(b.data, b.len, out, sizeof(out)), 256);
	assert_memory_equal(all, out, 256);
	buf_clear(&b);
}

static void
urls_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *scheme, *host;
		int port, given;
		const char *path, *query;
	} cases[] = {
	    {"https://Graph.Microsoft.com/v1.0/me?$top=1", "https",
		"graph.microsoft.com", 443, 0, "/v1.0/me", "$top=1"},
	    {"HTTP://127.0.0.1:8080", "http", "127.0.0.1", 8080, 1, "/", NULL},
	    {"http://[::1]:80/a", "http", "::1", 80, 1, "/a", NULL},
	    {"https://[2001:DB8::1]/", "https", "2001:db8::1", 443, 0, "/",
		NULL},
	    {"https://a?", "https", "a", 443, 0, "/", ""},
	    {"https://a/b@c:d?e=f/g?h", "https", "a", 443, 0, "/b@c:d",
		"e=f/g?h"},
	    {"https://x-y_z.example/%7Ea", "https", "x-y_z.example", 443, 0,
		"/%7Ea", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = {0};
		struct url u;

		assert_int_equal(url_parse(cases[i].text, &u, &e), 0);
		assert_string_equal(u.scheme, cases[i].scheme);
		assert_string_equal(u.host, cases[i].host);
		assert_int_equal(u.port, cases[i].port);
		assert_int_equal(u.port_given, cases[i].given);
		assert_string_equal(u.path, cases[i].path);
		if (cases[i].query != NULL)
			assert_string_equal(u.query, cases[i].query);
		else
			assert_null(u.query);
		url_clear(&u);
	}
}

static void
what_is_no_plain_url_is_refused(void **state)
{
	static const char *const bad[] = {"", "https://", "https:///a",
	    "https:/a", "ftp://a/", "//a/b", "a.example", "https://u@a/",
	    "https://u:p@a/", "https://a/#f", "https://a#f", "https://a b/",
	    "https://a/ b", "https://a/\n", "https://a/\x7F", "https://a\\b/",
	    "https://a:/", "https://a:0/", "https://a:65536/", "https://a:8x/",
	    "https://a:080808/", "https://a:-1/", "https://[::1/",
	    "https://[::1]x/", "https://[zz]/", "https://[]/", "https://.a/",
	    "https://a..b/", "https://a./", "https://\xC3\xBC.example/",
	    "https://a/\"", "https://a/<b>", "https://a/{b}", "https://a/%4",
	    "https://a/%zz", "https://a%41/", "https://a:80:80/",
	    " https://a/"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};
		struct url u = {.port = 77};

		if (url_parse(bad[i], &u, &e) != -1)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.code, ERR_INPUT);
		assert_int_equal(u.port, 77);
	}
}

static void
a_label_of_a_host_has_at_most_63_bytes(void **state)
{
	char text[400];
	struct url u;

	(void)state;
	snprintf(text, sizeof(text), "https://%.63s.a/",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(url_parse(text, &u, NULL), 0);
	url_clear(&u);
	snprintf(text, sizeof(text), "https://%.64s.a/",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(url_parse(text, &u, NULL), -1);
}

static void
loopback_is_told_by_the_literal_address(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
	    {"http://127.0.0.1/", 1},
	    {"http://127.9.9.9:1/", 1},
	    {"http://[::1]/", 1},
	    {"http://LOCALHOST/", 1},
	    {"http://localhost.example/", 0},
	    {"http://127.0.0.1.example/", 0},
	    {"http://128.0.0.1/", 0},
	    {"http://[::2]/", 0},
	    {"http://0.0.0.0/", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct url u;

		assert_int_equal(url_parse(cases[i].text, &u, NULL), 0);
		assert_int_equal(url_is_loopback(&u), cases[i].want);
		url_clear(&u);
		assert_false(url_is_loopback(&u));
	}
}

static void
join_puts_exactly_one_slash(void **state)
{
	static const char *const cases[][3] = {
	    {"https://a", "b", "https://a/b"},
	    {"https://a//", "//b/", "https://a/b/"},
	    {"https://a/c/", "", "https://a/c/"},
	    {"", "b", "/b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *joined = url_join(cases[i][0], cases[i][1]);

		assert_string_equal(joined, cases[i][2]);
		free(joined);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encoding_leaves_only_the_unreserved),
	    cmocka_unit_test(form_decoding_decodes_exactly_once),
	    cmocka_unit_test(what_was_encoded_decodes_to_itself),
	    cmocka_unit_test(urls_are_taken_apart),
	    cmocka_unit_test(what_is_no_plain_url_is_refused),
	    cmocka_unit_test(a_label_of_a_host_has_at_most_63_bytes),
	    cmocka_unit_test(loopback_is_told_by_the_literal_address),
	    cmocka_unit_test(join_puts_exactly_one_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
