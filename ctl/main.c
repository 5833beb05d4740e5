/* ctl/main.c - outlook-addinctl: the operator's tool. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "ctl.h"

static const struct ctl_command *const commands[] = {
    &ctl_check,
    &ctl_render,
    &ctl_print,
    &ctl_status,
    &ctl_doctor,
    &ctl_health,
    &ctl_metrics,
    &ctl_mailbox,
    &ctl_resync,
    &ctl_dead,
    &ctl_deletion,
    &ctl_writes,
    &ctl_audit,
    &ctl_forget,
    &ctl_backup,
    &ctl_migrate,
    NULL,
};

static int
print_help(void)
{
	puts("usage: outlook-addinctl [--config FILE] [--database URL] "
	     "COMMAND ...\n\ncommands:");
	for (int i = 0; commands[i] != NULL; i++)
		printf("  %-13s %s\n", commands[i]->name, commands[i]->summary);
	puts("\noutlook-addinctl COMMAND --help tells more.\n"
	     "exit status: 0 done; 1 failed or degraded; 2 usage or "
	     "configuration.");
	return ctl_finish();
}

static int
print_version(void)
{
	printf("outlook-addinctl %s\n", PACKAGE_VERSION);
	return ctl_finish();
}

static const struct ctl_command *
find_command(const char *name)
{
	for (int i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int
unknown_command(const struct ctl *ctl, const char *name)
{
	for (int i = 0; commands[i] != NULL; i++) {
		if (text_distance(commands[i]->name, name, 3) <= 2)
			return ctl_misuse(ctl,
			    "unknown command %s; did you mean %s?", name,
			    commands[i]->name);
	}
	return ctl_misuse(ctl, "unknown command %s", name);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = {0};
	int code = CTL_USAGE;
	int i;

	log_init("outlook-addinctl", NULL, LOG_LEVEL_WARNING);
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return print_help();
		if (strcmp(argv[i], "--version") == 0)
			return print_version();
		if (ctl_take_option(&ctl, NULL, argc, argv, &i, &code) != 0)
			return code;
	}
	if (i == argc)
		return ctl_misuse(&ctl, "no command given");
	ctl.command = find_command(argv[i]);
	if (ctl.command == NULL)
		return unknown_command(&ctl, argv[i]);
	return ctl.command->run(&ctl, argc - i, argv + i);
}
