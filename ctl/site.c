/* ctl/site.c - see site.h. */
#include "site.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/jws.h"
#include "base/mem.h"

enum {
	FILES_MAX = 1000,
	BYTES_MAX = 16 << 20, /* of all together */
	DEPTH_MAX = 8
};

/* What the template has a content type for; nothing else is served. */
static const char *const kinds[] = {"html", "css", "js", "mjs", "json", "map",
    "webmanifest", "xml", "txt", "svg", "png", "ico", "woff2", NULL};

static bool
is_served(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (name[0] == '.' || dot == NULL)
		return false;
	for (int i = 0; kinds[i] != NULL; i++) {
		if (strcmp(kinds[i], dot + 1) == 0)
			return true;
	}
	return false;
}

void
site_add(struct site *s, const char *path, char *data_owned, size_t len)
{
	struct site_file *f;

	s->files = mem_realloc(s->files, (s->count + 1) * sizeof(s->files[0]));
	f = &s->files[s->count++];
	f->path = mem_strdup(path);
	f->data = data_owned;
	f->len = len;
	s->bytes += len;
}

void
site_clear(struct site *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->files[i].path);
		free(s->files[i].data);
	}
	free(s->files);
	memset(s, 0, sizeof(*s));
}

/* ---- loading ---- */

static int
load_file(struct site *s, const char *from, const char *path, struct err *e)
{
	char *data = NULL;
	size_t len = 0;

	if (s->count >= FILES_MAX)
		return err_set(
		    e, ERR_CONFIG, "more than %d static files", FILES_MAX);
	if (file_read(from, BYTES_MAX - s->bytes, &data, &len, e) != 0)
		return -1;
	site_add(s, path, data, len);
	return 0;
}

static int load_folder(struct site *s, const char *folder, const char *prefix,
    int depth, struct err *e);

static int
load_entry(struct site *s, const char *folder, const char *prefix,
    const char *name, int depth, struct err *e)
{
	char from[PATH_MAX], path[PATH_MAX];
	struct stat st;
	bool folder_below;

	if (snprintf(from, sizeof(from), "%s/%s", folder, name) >= PATH_MAX)
		return err_set(e, ERR_CONFIG, "%s: path too long", folder);
	if (name[0] == '.' || lstat(from, &st) != 0)
		return 0;
	folder_below = S_ISDIR(st.st_mode);
	if (folder_below ? depth >= DEPTH_MAX
			 : !S_ISREG(st.st_mode) || !is_served(name))
		return 0;
	/* Shorter than from: prefix is the end of folder. */
	snprintf(path, sizeof(path), "%s%s%s", prefix, name,
	    folder_below ? "/" : "");
	return folder_below ? load_folder(s, from, path, depth + 1, e)
			    : load_file(s, from, path, e);
}

static int
load_folder(struct site *s, const char *folder, const char *prefix, int depth,
    struct err *e)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "open the static files %s", folder);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		rc = load_entry(s, folder, prefix, entry->d_name, depth, e);
	closedir(dir);
	return rc;
}

int
site_load(struct site *s, const char *folder, struct err *e)
{
	return load_folder(s, folder, "", 0, e);
}

/* ---- the stamp ---- */

static bool
is_page(const struct site_file *f)
{
	size_t len = strlen(f->path);

	return len > 5 && strcmp(f->path + len - 5, ".html") == 0;
}

static int
by_path(const void *a, const void *b)
{
	const struct site_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
site_stamp(struct site *s, char stamp[SITE_STAMP_SIZE])
{
	char hash[65];
	struct buf all;

	buf_init(&all, FILES_MAX * (PATH_MAX + sizeof(hash)));
	qsort(s->files, s->count, sizeof(s->files[0]), by_path);
	for (size_t i = 0; i < s->count; i++) {
		const struct site_file *f = &s->files[i];

		if (is_page(f))
			continue;
		jws_sha256_hex(f->data, f->len, hash);
		buf_printf(&all, "%s %s\n", hash, f->path);
	}
	jws_sha256_hex(buf_text(&all), all.len, hash);
	buf_clear(&all);
	snprintf(stamp, SITE_STAMP_SIZE, "%.12s", hash);
}

/* ---- the pages ---- */

/* Where the sources of the pages load Office.js from. */
#define OFFICE_JS "https://appsforoffice.microsoft.com/lib/1/hosted/office.js"

/* What the program serves with the stamp; nginx.conf.in knows them too. */
static const char *const stamped[] = {
    "\"js/", "\"css/", "\"assets/", "\"vendor/", "\"strings/", NULL};

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
add_escaped(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			buf_puts(out, "&amp;");
		else if (*text == '"')
			buf_puts(out, "&quot;");
		else
			buf_putc(out, *text);
	}
}

/* Whether a quote begins the address of something with a stamp. */
static bool
is_stamped(const char *page, const char *quote)
{
	static const char src[] = "src=", href[] = "href=";
	size_t before = (size_t)(quote - page);

	if (!(before >= 4 && begins(quote - 4, src)) &&
	    !(before >= 5 && begins(quote - 5, href)))
		return false;
	for (int i = 0; stamped[i] != NULL; i++) {
		if (begins(quote, stamped[i]))
			return true;
	}
	return false;
}

static void
fill_page(struct site_file *f, const char *office_js_url, const char *stamp)
{
	struct buf out;

	buf_init(&out, 2 * BYTES_MAX);
	for (const char *s = f->data; *s != '\0'; s++) {
		if (*s == 'h' && begins(s, OFFICE_JS)) {
			add_escaped(&out, office_js_url);
			s += strlen(OFFICE_JS) - 1;
		} else if (*s == '"' && is_stamped(f->data, s)) {
			buf_printf(&out, "\"v-%s/", stamp);
		} else {
			buf_putc(&out, *s);
		}
	}
	free(f->data);
	f->len = out.len;
	f->data = buf_take(&out);
}

void
site_fill_pages(struct site *s, const char *office_js_url, const char *stamp)
{
	for (size_t i = 0; i < s->count; i++) {
		if (is_page(&s->files[i]))
			fill_page(&s->files[i], office_js_url, stamp);
	}
}
