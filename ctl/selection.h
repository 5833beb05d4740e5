/* ctl/selection.h - which rows a command is about, where it may be those of a
 * tenant or a mailbox, or all. */
#ifndef CTL_SELECTION_H
#define CTL_SELECTION_H

#include <stdbool.h>

#include "ctl.h"
#include "port/store.h"

struct selection {
	const char *tenant, *user; /* as given; NULL: any */
	char tenant_id[STORE_GUID], user_id[STORE_GUID];
	bool json, all;
};

/* Reads --tenant, --user, --json and --all, and at most max words besides, of
 * which the first is the action: *needs is said where there is none. Their
 * number; or -1 when the command has to end with *code. */
int selection_parse(struct ctl *ctl, const char *needs, int argc, char **argv,
    struct selection *out, const char **words, int max, int *code);

bool
selection_has(const struct selection *s, const char *tenant, const char *user);

#endif
