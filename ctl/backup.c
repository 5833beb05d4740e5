/* ctl/backup.c - outlook-addinctl backup: a consistent copy of the store. */
#include <stdio.h>

#include "live.h"

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *file = NULL;
	int code = CTL_DONE;
	struct live live;
	struct err e = {0};
	int count = ctl_parse(ctl, NULL, argc, argv, &file, 1, &code);

	if (count < 0)
		return code;
	if (count == 0)
		return ctl_misuse(ctl, "backup needs a file name");
	code = live_open(ctl, 0, &live);
	if (code != CTL_DONE)
		return code;
	if (store_backup(live.store, file, &e) != 0)
		code = live_fail("backup", &e);
	live_close(&live);
	if (code != CTL_DONE)
		return code;
	printf("%s written\n", file);
	return ctl_finish();
}

const struct ctl_command ctl_backup = {
    .name = "backup",
    .usage = "FILE",
    .summary = "Copies the store to a new file while everything runs",
    .run = run,
};
