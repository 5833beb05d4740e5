/* ctl/health.c - outlook-addinctl health: does the program answer? */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "fcgi_client.h"

enum { TIMEOUT_MS = 3000, BODY_MAX = 64 << 10 };

static int
run(struct ctl *ctl, int argc, char **argv)
{
	struct config config;
	struct err e = {0};
	int code = CTL_DONE;
	struct buf body;
	int status;

	if (ctl_parse(ctl, NULL, argc, argv, NULL, 0, &code) < 0)
		return code;
	ctl->quiet = true;
	code = ctl_load(ctl, CONFIG_ROLE_WEB, &config);
	if (code != CTL_DONE)
		return code;
	buf_init(&body, BODY_MAX);
	status = fcgi_client_get(config.fastcgi_listen + strlen("unix:"),
	    "/live", TIMEOUT_MS, &body, &e);
	if (status == 200)
		puts("alive");
	else if (status < 0)
		ctl_say("not alive: %s", e.text);
	else
		ctl_say("not alive: the answer is %d", status);
	buf_clear(&body);
	config_clear(&config);
	return status == 200 ? ctl_finish() : CTL_FAILED;
}

const struct ctl_command ctl_health = {
    .name = "health",
    .usage = "",
    .summary = "Asks outlook-addin-fcgi over its socket whether it is alive",
    .run = run,
};
