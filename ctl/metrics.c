/* ctl/metrics.c - outlook-addinctl metrics: what Prometheus gets, by hand. */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "fcgi_client.h"

enum { TIMEOUT_MS = 5000, BODY_MAX = 1 << 20 };

#define OURS "outlook_addin_"

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* The metric's: where a sample begins, or behind the word of a comment. */
static const char *
name_of(const char *line)
{
	if (begins(line, "# HELP ") || begins(line, "# TYPE "))
		return line + strlen("# HELP ");
	return line;
}

/* With or without what every name of ours begins with. */
static bool
is_asked(const char *line, const char *prefix)
{
	const char *name = name_of(line);

	return begins(name, prefix) ||
	    (begins(name, OURS) && begins(name + strlen(OURS), prefix));
}

/* Whether there was any. */
static bool
print_lines(const char *text, const char *prefix)
{
	bool found = false;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		if (is_asked(text, prefix)) {
			printf("%.*s\n", (int)len, text);
			found = true;
		}
		text += len;
		text += *text == '\n';
	}
	return found;
}

static int
print_metrics(const struct config *c, const char *prefix)
{
	struct err e = {0};
	int code = CTL_FAILED;
	struct buf body;
	int status;

	buf_init(&body, BODY_MAX);
	status = fcgi_client_get(c->fastcgi_listen + strlen("unix:"),
	    "/metrics", TIMEOUT_MS, &body, &e);
	if (status < 0)
		ctl_say("no metrics: %s", e.text);
	else if (status != 200)
		ctl_say("no metrics: the answer is %d", status);
	else if (!print_lines(buf_text(&body), prefix))
		ctl_say("no metric begins with %s", prefix);
	else
		code = ctl_finish();
	buf_clear(&body);
	return code;
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *prefix = "";
	struct config config;
	int code = CTL_DONE;

	if (ctl_parse(ctl, NULL, argc, argv, &prefix, 1, &code) < 0)
		return code;
	ctl->quiet = true;
	code = ctl_load(ctl, CONFIG_ROLE_WEB, &config);
	if (code != CTL_DONE)
		return code;
	code = print_metrics(&config, prefix);
	config_clear(&config);
	return code;
}

const struct ctl_command ctl_metrics = {
    .name = "metrics",
    .usage = "[PREFIX]",
    .summary = "Prints the metrics whose name begins so, asked over the socket",
    .run = run,
};
