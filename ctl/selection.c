/* ctl/selection.c - see selection.h. */
#include "selection.h"

#include <string.h>

#include "base/text.h"

static bool
are_ids(struct selection *s)
{
	return (s->tenant == NULL ||
		   text_guid_lower(s->tenant_id, s->tenant)) &&
	    (s->user == NULL || text_guid_lower(s->user_id, s->user));
}

int
selection_parse(struct ctl *ctl, const char *needs, int argc, char **argv,
    struct selection *out, const char **words, int max, int *code)
{
	const struct ctl_option opts[] = {
	    {"--tenant", &out->tenant, NULL},
	    {"--user", &out->user, NULL},
	    {"--json", NULL, &out->json},
	    {"--all", NULL, &out->all},
	    {NULL, NULL, NULL},
	};
	int count;

	memset(out, 0, sizeof(*out));
	count = ctl_parse(ctl, opts, argc, argv, words, max, code);
	if (count < 0)
		return -1;
	if (count > 0 && are_ids(out))
		return count;
	*code = count == 0 ? ctl_misuse(ctl, "%s", needs)
			   : ctl_misuse(ctl, "--tenant and --user take GUIDs");
	return -1;
}

bool
selection_has(const struct selection *s, const char *tenant, const char *user)
{
	return (s->tenant == NULL || strcmp(s->tenant_id, tenant) == 0) &&
	    (s->user == NULL || strcmp(s->user_id, user) == 0);
}
