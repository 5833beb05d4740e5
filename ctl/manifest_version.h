/* ctl/manifest_version.h - which Version a manifest gets. Pure.
 *
 * Clients keep what they have until the Version rises. So it has to rise with
 * each change, and may stay with none; a hash would not rise, a date would not
 * be the same in two renders of the same.
 */
#ifndef CTL_MANIFEST_VERSION_H
#define CTL_MANIFEST_VERSION_H

enum { MANIFEST_VERSION_MAX = 24 }; /* four numbers up to 65535, and NUL */

struct manifest_version {
	int part[4];
};

/* The product's version ("0.1.0") with the configured revision behind. */
struct manifest_version
manifest_version_base(const char *product, int revision);

/*
 * The Version of a manifest whose text, with Version base in it, is wanted.
 * before is the one that was rendered here last, NULL when there is none or it
 * can not be read. Not lower than base and than that one's; higher than that
 * one's when the rest of the text differs. wanted must hold base's Version.
 */
struct manifest_version manifest_version_next(
    struct manifest_version base, const char *wanted, const char *before);

void manifest_version_format(
    struct manifest_version v, char out[MANIFEST_VERSION_MAX]);

/* The same as three numbers, which is all that semver has. */
void manifest_version_semver(
    struct manifest_version v, char out[MANIFEST_VERSION_MAX]);

#endif
