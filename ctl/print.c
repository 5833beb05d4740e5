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
#include "kubernetes.h"
#include "rule/cron.h"
#include "systemd.h"

enum { OUTPUT_MAX = 1 << 20 };

#define RENEW BINDIR "/outlook-addin-renew"

static int
print_crontab(const struct ctl *ctl, const struct config *c, const char *path,
    struct buf *out)
{
	crontab_write(out, c->cron, RENEW, path, ctl->over.database);
	return CTL_DONE;
}

static int
print_systemd(const struct ctl *ctl, const struct config *c, const char *path,
    struct buf *out)
{
	struct err e = {0};
	struct cron cron;

	if (cron_parse(c->cron, &cron, &e) != 0)
		return ctl_fail("print", &e);
	systemd_write_units(out, &cron, RENEW, path, ctl->over.database,
	    c->client_certificate_file[0] == '\0' &&
		c->federated_token_file[0] == '\0');
	return CTL_DONE;
}

static int
print_kubernetes(const struct ctl *ctl, const struct config *c,
    const char *path, struct buf *out)
{
	const struct kubernetes_job how = {
	    .config = "/etc/outlook-addin/addin.json",
	    .database = ctl->over.database,
	    .store =
		ctl->over.database != NULL ? ctl->over.database : c->database,
	};
	struct err e = {0};
	struct cron cron;

	/* In the container it lies where it is looked for. */
	(void)path;
	if (cron_parse(c->cron, &cron, &e) != 0)
		return ctl_fail("print", &e);
	kubernetes_write_cronjob(out, c->cron, &cron, &how);
	return CTL_DONE;
}

/* What is made from the configuration. */
static int
print_configured(const struct ctl *ctl, struct buf *out,
    int (*print)(const struct ctl *ctl, const struct config *c,
	const char *path, struct buf *out))
{
	struct config config;
	char path[PATH_MAX];
	int code = ctl_load(ctl, CONFIG_ROLE_RENDER, &config);

	if (code != CTL_DONE)
		return code;
	code = print(ctl, &config,
	    realpath(config.path, path) != NULL ? path : config.path, out);
	config_clear(&config);
	return code;
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
		code = print_configured(ctl, &out, print_crontab);
	else if (strcmp(what, "systemd") == 0)
		code = print_configured(ctl, &out, print_systemd);
	else if (strcmp(what, "kubernetes") == 0)
		code = print_configured(ctl, &out, print_kubernetes);
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
    .usage = "crontab\nsystemd\nkubernetes\nschema\nsample\nreference",
    .summary = "Prints the crontab line, the systemd units or the Kubernetes "
	       "CronJob of the renewal, or the JSON schema, a sample or the "
	       "reference of the "
	       "configuration",
    .run = run,
};
