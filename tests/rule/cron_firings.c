/* tests/rule/cron_firings.c - prints firings for the comparison with others.
 *
 * Reads lines "zone start count expression" (zone "-": UTC without a zone;
 * start in Unix seconds) and answers each with one line: the firings in Unix
 * seconds, or "error: text". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/tz.h"
#include "rule/cron.h"

static int
print_firings(const char *zone, int64_t start_s, long count, const char *text)
{
	struct err e = {0};
	struct tz *z = NULL;
	struct cron c;
	int64_t ms = start_s * 1000;

	if (strcmp(zone, "-") != 0) {
		z = tz_load(zone, &e);
		if (z == NULL)
			return -1;
	}
	if (cron_parse(text, &c, &e) != 0) {
		printf("error: %s\n", e.text);
	} else {
		while (count-- > 0) {
			ms = cron_next(&c, z, ms);
			printf(
			    "%" PRId64 "%s", ms / 1000, count > 0 ? " " : "");
		}
		printf("\n");
	}
	tz_free(z);
	return 0;
}

int
main(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char zone[64];
		long long start_s;
		long count;
		int at = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%63s %lld %ld %n", zone, &start_s, &count,
			&at) != 3 ||
		    at == 0)
			return 2;
		if (print_firings(zone, start_s, count, line + at) != 0)
			return 1;
	}
	return 0;
}
