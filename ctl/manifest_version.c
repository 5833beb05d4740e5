/* ctl/manifest_version.c - see manifest_version.h. */
#include "manifest_version.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART_MAX = 65535, REVISIONS = 100000 };

#define OPEN "<Version>"
#define CLOSE "</Version>"

struct manifest_version
manifest_version_base(const char *product, int revision)
{
	struct manifest_version v = {{0, 0, 0, revision}};
	char *end = NULL;

	for (int i = 0; i < 3; i++) {
		v.part[i] = (int)strtol(product, &end, 10);
		if (*end != '.')
			break;
		product = end + 1;
	}
	return v;
}

static int
compare(struct manifest_version a, struct manifest_version b)
{
	for (int i = 0; i < 4; i++) {
		if (a.part[i] != b.part[i])
			return a.part[i] < b.part[i] ? -1 : 1;
	}
	return 0;
}

/* The Version in a manifest of ours: *rest is what stands behind it. The
 * length of what stands before it, 0 when there is none. */
static size_t
find(const char *text, struct manifest_version *v, const char **rest)
{
	const char *at = strstr(text, OPEN);
	int used = 0;

	if (at == NULL ||
	    sscanf(at + strlen(OPEN), "%5d.%5d.%5d.%5d" CLOSE "%n", &v->part[0],
		&v->part[1], &v->part[2], &v->part[3], &used) != 4 ||
	    used == 0)
		return 0;
	for (int i = 0; i < 4; i++) {
		if (v->part[i] < 0 || v->part[i] > PART_MAX)
			return 0;
	}
	*rest = at + strlen(OPEN) + used;
	return (size_t)(at - text);
}

static struct manifest_version
raised(struct manifest_version v)
{
	for (int i = 3; i >= 0; i--) {
		if (v.part[i] < PART_MAX) {
			v.part[i]++;
			break;
		}
		v.part[i] = 0;
	}
	return v;
}

struct manifest_version
manifest_version_next(
    struct manifest_version base, const char *wanted, const char *before)
{
	struct manifest_version mine, last;
	const char *my_rest = "", *last_rest = "";
	size_t mine_at = find(wanted, &mine, &my_rest);
	size_t last_at = before == NULL ? 0 : find(before, &last, &last_rest);
	bool same;

	if (last_at == 0 || compare(last, base) < 0)
		return base;
	same = mine_at == last_at && memcmp(wanted, before, mine_at) == 0 &&
	    strcmp(my_rest, last_rest) == 0;
	return same ? last : raised(last);
}

void
manifest_version_format(
    struct manifest_version v, char out[MANIFEST_VERSION_MAX])
{
	snprintf(out, MANIFEST_VERSION_MAX, "%d.%d.%d.%d", v.part[0], v.part[1],
	    v.part[2], v.part[3]);
}

void
manifest_version_semver(
    struct manifest_version v, char out[MANIFEST_VERSION_MAX])
{
	snprintf(out, MANIFEST_VERSION_MAX, "%d.%d.%lld", v.part[0], v.part[1],
	    (long long)v.part[2] * REVISIONS + v.part[3]);
}
