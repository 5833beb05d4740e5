/* ctl/render_site.c - see render_site.h. */
#include "render_site.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "config.h"
#include "ctl.h"
#include "manifest.h"
#include "manifest_version.h"
#include "render_public.h"

/* Takes what is in the buffer. */
static void
add_text(struct site *site, const char *path, struct buf *text)
{
	size_t len = text->len;

	site_add(site, path, buf_take(text), len);
}

/* The manifest that lies in the folder, or NULL. Yours. */
static char *
read_before(const char *folder)
{
	char path[PATH_MAX];
	struct err unread = {0};
	char *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/www/manifest.xml", folder);
	if (file_read(path, MANIFEST_MAX, &text, &len, &unread) != 0)
		return NULL;
	return text;
}

static void
add_xml(const struct manifest *m, const char *folder, struct site *site,
    struct manifest_version *version)
{
	char text[MANIFEST_VERSION_MAX];
	char *before = read_before(folder);
	struct buf out;

	buf_init(&out, MANIFEST_MAX);
	*version = manifest_version_base(
	    PACKAGE_VERSION, m->config->manifest_revision);
	manifest_version_format(*version, text);
	manifest_xml(m, text, &out);
	*version = manifest_version_next(*version, buf_text(&out), before);
	manifest_version_format(*version, text);
	buf_reset(&out);
	manifest_xml(m, text, &out);
	if (before == NULL || strcmp(before, buf_text(&out)) != 0)
		ctl_say("manifest.xml has Version %s", text);
	free(before);
	add_text(site, "manifest.xml", &out);
	buf_clear(&out);
}

static void
add_unified(const struct manifest *m, struct manifest_version version,
    struct site *site)
{
	char text[MANIFEST_VERSION_MAX];
	struct buf out;

	buf_init(&out, MANIFEST_MAX);
	manifest_version_semver(version, text);
	manifest_json(m, text, &out);
	add_text(site, manifest_json_name(MANIFEST_EN), &out);
	for (int i = MANIFEST_EN + 1; i < MANIFEST_LANGUAGES; i++) {
		manifest_json_texts(m, (enum manifest_language)i, &out);
		add_text(
		    site, manifest_json_name((enum manifest_language)i), &out);
	}
	buf_clear(&out);
}

static void
add_manifests(const struct config *c, const char *folder, struct site *site)
{
	struct manifest_version version;
	struct manifest m;
	struct buf out;

	manifest_init(&m, c);
	add_xml(&m, folder, site, &version);
	if (c->manifest_unified)
		add_unified(&m, version, site);
	if (c->manifest_send_check) {
		buf_init(&out, MANIFEST_MAX);
		manifest_allowed(&m, &out);
		add_text(site, "officeaddins-allowed.json", &out);
		buf_clear(&out);
	}
	manifest_clear(&m);
}

int
render_site(const struct config *c, const char *www, const char *folder,
    struct site *site, char stamp[SITE_STAMP_SIZE], struct err *e)
{
	struct buf public;

	if (site_load(site, www, e) != 0)
		return -1;
	site_leave_out_comments(site);
	site_stamp(site, stamp);
	site_fill_pages(site, c->office_js_url, stamp);
	buf_init(&public, MANIFEST_MAX);
	render_public(c, &public);
	add_text(site, "config.json", &public);
	buf_clear(&public);
	add_manifests(c, folder, site);
	site_compress(site);
	return 0;
}
