/* ctl/manifest.h - the add-in's manifests for Microsoft 365. Pure.
 *
 * The XML one is the primary: Outlook on Mac and on telephones takes no other.
 */
#ifndef CTL_MANIFEST_H
#define CTL_MANIFEST_H

#include "base/buf.h"
#include "manifest_text.h"
#include "port/config.h"

enum { MANIFEST_MAX = 256 << 10 }; /* bytes, Office's limit */

/* What a manifest says. */
struct manifest {
	const struct config *config;
	char *origin; /* scheme://host[:port] of the add-in */
	char *host; /* host[:port] */
	char *login_origin;
	char *provider; /* providerName, else the host */
	char *support_url; /* supportUrl, else the add-in's first page */
};

/* What does not fit into a manifest has been refused by the configuration. */
void manifest_init(struct manifest *m, const struct config *c);
void manifest_clear(struct manifest *m);

/* Appends manifest.xml with that Version. Its layout is fixed, so that two can
 * be compared byte by byte. */
void
manifest_xml(const struct manifest *m, const char *version, struct buf *out);

/* Appends the unified manifest, manifest.json. */
void
manifest_json(const struct manifest *m, const char *version, struct buf *out);

/* Appends the texts of the unified manifest in another language than English:
 * a file that lies beside it, called manifest_json_name(). */
void manifest_json_texts(
    const struct manifest *m, enum manifest_language language, struct buf *out);
const char *manifest_json_name(enum manifest_language language);

/* Appends /.well-known/microsoft-officeaddins-allowed.json: which script may
 * run without a page, in Outlook for Windows. */
void manifest_allowed(const struct manifest *m, struct buf *out);

#endif
