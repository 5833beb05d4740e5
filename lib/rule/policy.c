/* rule/policy.c - see policy.h. */
#include "rule/policy.h"

#include <string.h>

int
policy_deletion_parse(const char *name, enum policy_deletion *out)
{
	static const char *const names[] = {
	    [POLICY_DELETE] = "delete-if-untouched",
	    [POLICY_DELETE_OR_END] = "delete-if-untouched-else-cancel",
	    [POLICY_LEAVE] = "ignore",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*out = (enum policy_deletion)i;
		return 0;
	}
	return -1;
}
