/* tests/fuzz/fuzz_cron.c - any text as a cron expression. */
#include "base/mem.h"
#include "base/when.h"
#include "fuzz.h"
#include "rule/cron.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strndup((const char *)data, size);
	int64_t ms = INT64_C(1795422745123);
	struct err e = {0};
	struct cron c;

	if (cron_parse(text, &c, &e) != 0) {
		FUZZ_CHECK(e.code == ERR_INPUT);
		free(text);
		return 0;
	}
	for (int i = 0; i < 5; i++) {
		int64_t next = cron_next(&c, NULL, ms);
		struct when_utc t;

		FUZZ_CHECK(next > ms && next % 60000 == 0);
		when_to_utc(next, &t);
		FUZZ_CHECK(t.year < 2300);
		FUZZ_CHECK((c.minutes >> t.minute & 1) != 0);
		FUZZ_CHECK((c.hours >> t.hour & 1) != 0);
		FUZZ_CHECK((c.months >> t.month & 1) != 0);
		FUZZ_CHECK((c.days >> t.day & 1) != 0 ||
		    (c.weekdays >> t.wday & 1) != 0);
		ms = next;
	}
	free(text);
	return 0;
}
