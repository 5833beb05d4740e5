/* ctl/print.c - outlook-addinctl print: texts made from the configuration or
 * from the table of its keys. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crontab.h"
#include "ctl.h"
#include "keys.h"

enum { OUTPUT_MAX = 1 << 20 };

static int
print_crontab(const struct ctl *ctl, struct buf *out)
{
	struct config config;
	char path[PATH_MAX];
	int code = ctl_load(ctl, CONFIG_ROLE_RENDER, &config);

	if (code != CTL_DONE)
		return code;
	crontab_write(out, config.cron, BINDIR "/outlook-addin-renew",
	    realpath(config.path, path) != NULL ? path : config.path,
	    ctl->over.database);
	config_clear(&config);
	return CTL_DONE;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *what = NULL;
	int code = CTL_DONE;
	struct buf out;
	int count = ctl_parse(ctl, NULL, argc, argv, &what, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "print what?");
	buf_init(&out, OUTPUT_MAX);
	if (strcmp(what, "crontab") == 0)
		code = print_crontab(ctl, &out);
	else if (strcmp(what, "schema") == 0)
		keys_write_schema(&out);
	else if (strcmp(what, "sample") == 0)
		keys_write_sample(&out);
	else if (strcmp(what, "reference") == 0)
		keys_write_reference(&out);
	else
		code = ctl_misuse(ctl, "nothing to print is called %s", what);
	fputs(buf_text(&out), stdout);
	buf_clear(&out);
	return code != CTL_DONE ? code : ctl_finish();
}

const struct ctl_command ctl_print = {
    .name = "print",
    .usage = "crontab\nschema\nsample\nreference",
    .summary = "Prints the crontab line of the renewal, or the JSON schema, "
	       "a sample or the reference of the configuration",
    .run = run,
};
