/* tests/unit/test_agent.c - sync/agent.h: the mapping that can not be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sync/session.h"

static void
a_mapping_that_could_not_be_opened_is_read_at_the_next_look(void **state)
{
	static struct session s;
	char path[] = "/tmp/test-agent-XXXXXX";
	int fd = mkstemp(path);
	struct config c = {
	    .unblu_act_as_header = true,
	    .unblu_agent_map_file = path,
	};
	struct rlimit usual, none;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(dprintf(fd, "{\"anna\":\"akeller\"}"), 18);
	close(fd);
	s.config = &c;
	agent_init(&s.agents, &s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	agent_look(&s.agents);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_string_not_equal(s.agents.problem, "");
	assert_null(s.agents.map);
	/* The file is the same. */
	agent_look(&s.agents);
	assert_string_equal(s.agents.problem, "");
	assert_int_equal(agent_map_count(s.agents.map), 1);
	agent_clear(&s.agents);
	assert_int_equal(unlink(path), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_mapping_that_could_not_be_opened_is_read_at_the_next_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
