/* ctl/check.c - outlook-addinctl check: is the configuration in order? */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

static const struct {
	const char *name;
	unsigned roles;
} check_roles[] = {
    {"all", CONFIG_ROLE_ALL},
    {"web", CONFIG_ROLE_WEB},
    {"sync", CONFIG_ROLE_SYNC},
    {"renew", CONFIG_ROLE_RENEW},
    {"render", CONFIG_ROLE_RENDER},
};

enum { ROLE_COUNT = sizeof(check_roles) / sizeof(check_roles[0]) };

static int
run(struct ctl *ctl, int argc, char **argv)
{
	const char *role = "all";
	const struct ctl_option opts[] = {
	    {"--for", &role, NULL},
	    {NULL, NULL, NULL},
	};
	struct config config;
	int code = CTL_DONE;
	int i;

	if (ctl_parse(ctl, opts, argc, argv, NULL, 0, &code) < 0)
		return code;
	for (i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(check_roles[i].name, role) == 0)
			break;
	}
	if (i == ROLE_COUNT)
		return ctl_misuse(
		    ctl, "--for takes web, sync, renew or render");
	ctl->over.strict = true;
	code = ctl_load(ctl, check_roles[i].roles, &config);
	if (code != CTL_DONE)
		return code;
	printf("%s: in order\n", config.path);
	config_clear(&config);
	return ctl_finish();
}

const struct ctl_command ctl_check = {
    .name = "check",
    .usage = "[--for web|sync|renew|render]",
    .summary = "Checks the configuration and, where the role needs them, "
	       "the secrets",
    .run = run,
};
