/* tests/unit/test_relay.c - ctl: name servers for nginx. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "render_relay.h"

static void
test_name_servers_are_taken_as_nginx_wants_them(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} cases[] = {
	    {"none is this machine", "", "127.0.0.1"},
	    {"one", "nameserver 192.0.2.1\n", "192.0.2.1"},
	    {"without a line end", "nameserver 192.0.2.1", "192.0.2.1"},
	    {"tabs and a comment", "nameserver\t 192.0.2.1 # office\n",
		"192.0.2.1"},
	    {"CR LF", "nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n",
		"192.0.2.1 192.0.2.2"},
	    {"IPv6 in brackets", "nameserver 2001:db8::1\n", "[2001:db8::1]"},
	    {"other lines are no servers",
		"search a.example\n#nameserver 192.0.2.9\n; nameserver "
		"192.0.2.9\noptions x\nnameserver 192.0.2.1\n",
		"192.0.2.1"},
	    {"at most three, as the C library",
		"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver "
		"192.0.2.3\nnameserver 192.0.2.4\n",
		"192.0.2.1 192.0.2.2 192.0.2.3"},
	    {"a zone of a link is nothing for nginx",
		"nameserver fe80::1%eth0\nnameserver 192.0.2.1\n", "192.0.2.1"},
	    {"what is no address can not become a directive",
		"nameserver 192.0.2.1;include\nnameserver a.example\n"
		"nameserver\n",
		"192.0.2.1"},
	    {"a longer word", "nameservers 192.0.2.1\n", "127.0.0.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *list = render_relay_resolvers(cases[i].text);

		print_message("# %s\n", cases[i].name);
		assert_string_equal(list, cases[i].want);
		free(list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_servers_are_taken_as_nginx_wants_them),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
