/* ctl/ctl.h - what the commands of outlook-addinctl share. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>

#include "base/err.h"
#include "port/config.h"

/* Exit codes. */
enum { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl_command;

struct ctl {
	struct config_override over; /* --config and --database */
	const struct ctl_command *command;
	bool quiet; /* the configuration's warnings are not shown */
};

struct ctl_command {
	const char *name;
	const char *usage; /* what follows the name; a line per form */
	const char *summary; /* one line for --help */
	/* argv[0] is the command's name. The exit code. */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

extern const struct ctl_command ctl_audit, ctl_backup, ctl_check, ctl_dead,
    ctl_deletion, ctl_doctor, ctl_forget, ctl_health, ctl_mailbox, ctl_metrics,
    ctl_migrate, ctl_print, ctl_render, ctl_resync, ctl_status, ctl_writes;

/* One option of a command: with a value, or a switch. */
struct ctl_option {
	const char *name; /* "--out" */
	const char **value;
	bool *flag;
};

/*
 * Sorts argv[1..] into the command's options, the two global ones (allowed
 * here as well) and at most max other arguments. The number of those; or -1
 * when the command has to end with *code: after a mistake was explained, or
 * after --help was answered. opts ends with a zero entry; NULL: none.
 */
int ctl_parse(struct ctl *ctl, const struct ctl_option *opts, int argc,
    char **argv, const char **args, int max, int *code);

/* The option at argv[*i] (of opts or a global one) and its value; *i is moved
 * to the last word used. 0, or -1 with *code. */
int ctl_take_option(struct ctl *ctl, const struct ctl_option *opts, int argc,
    char **argv, int *i, int *code);

/* "outlook-addinctl: text" on stderr. */
void ctl_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same with a hint to --help; returns CTL_USAGE. */
int ctl_misuse(const struct ctl *ctl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Says "what: text" and gives the exit code that the error asks for. */
int ctl_fail(const char *what, const struct err *e);

/* config_load() with its findings on stderr. 0, or the exit code. */
int ctl_load(const struct ctl *ctl, unsigned roles, struct config *out);

/* Flushes stdout: CTL_DONE, or CTL_FAILED after saying why. */
int ctl_finish(void);

/* The folder of templates and static files: $OUTLOOK_ADDIN_DATADIR, else
 * ../share/outlook-addin beside the program's folder, else where they were to
 * be installed. Borrowed. */
const char *ctl_datadir(void);

#endif
