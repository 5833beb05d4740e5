/* ctl/render_tree.c - see render_tree.h.
 *
 * root may render into a folder that belongs to somebody else. So everything
 * is reached through descriptors of folders, and no link inside is followed.
 */
#include "render_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { DEPTH_MAX = 9, LOCK_WAIT_MS = 5000 };

/* Says that the folder is ours to change. */
#define MARKER ".outlook-addinctl"
#define CONF "nginx.conf"
#define WWW "www"
#define TMP "tmp"
#define CONF_STAGE "." CONF ".new"
#define WWW_STAGE ".www-new"
#define WWW_OLD ".www-old"

/* What a render has beside its results while it runs. */
static const char *const stage_prefixes[] = {"." CONF ".", ".www-", NULL};

static bool
exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* errno may belong to a file system that is full or read-only. */
static int
fail(struct err *e, const char *verb, const char *path)
{
	return err_set_errno(e, ERR_FULL, errno, "%s %s", verb, path);
}

static int
open_folder(int dir, const char *name)
{
	return openat(
	    dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- removing ---- */

static void remove_tree(int dir, const char *name, int depth);

static bool
is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Calls each() for every entry of the folder. */
static void
walk_folder(int folder, int depth,
    void (*each)(int folder, const char *name, int depth))
{
	int fd = open_folder(folder, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!is_dots(entry->d_name))
			each(folder, entry->d_name, depth);
	}
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}

static void
remove_tree(int dir, const char *name, int depth)
{
	int fd;

	if (unlinkat(dir, name, 0) == 0 || depth > DEPTH_MAX + 1)
		return;
	fd = open_folder(dir, name);
	if (fd < 0)
		return;
	walk_folder(fd, depth + 1, remove_tree);
	close(fd);
	unlinkat(dir, name, AT_REMOVEDIR);
}

static void
remove_stage(int dir, const char *name, int depth)
{
	for (int i = 0; stage_prefixes[i] != NULL; i++) {
		if (strncmp(name, stage_prefixes[i],
			strlen(stage_prefixes[i])) == 0)
			remove_tree(dir, name, depth);
	}
}

/* What this render or a killed one has left. Only under the lock. */
static void
remove_stages(int dir)
{
	walk_folder(dir, 0, remove_stage);
}

/* ---- writing ---- */

/* A file that is not there yet. */
static int
write_file(
    int dir, const char *name, const char *data, size_t len, struct err *e)
{
	int fd = openat(dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	int rc = -1;

	if (fd < 0)
		return fail(e, "make", name);
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto out;
		data += n;
		len -= (size_t)n;
	}
	if (fchmod(fd, 0644) == 0)
		rc = fsync(fd);
out:
	if (rc != 0)
		fail(e, "write", name);
	if (close(fd) != 0 && rc == 0)
		rc = fail(e, "write", name);
	return rc;
}

/* Makes the folder unless it is there. Its descriptor, or -1. */
static int
make_folder(int dir, const char *name, mode_t mode, struct err *e)
{
	int fd;

	if (mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
		return fail(e, "make", name);
	fd = open_folder(dir, name);
	if (fd < 0)
		return err_set_errno(e, ERR_CONFIG, errno,
		    "open %s, which has to be a folder", name);
	if (fchmod(fd, mode) == 0)
		return fd;
	fail(e, "chmod", name);
	close(fd);
	return -1;
}

/* The folder that the file lies in, made where it is not there; *name is then
 * the file's own. A descriptor, or -1. */
static int
open_parent(int dir, const char *path, const char **name, struct err *e)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	const char *slash;

	if (at < 0)
		return fail(e, "open", path);
	while ((slash = strchr(path, '/')) != NULL) {
		char part[NAME_MAX + 1];
		int below;

		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		below = make_folder(at, part, 0755, e);
		close(at);
		if (below < 0)
			return -1;
		at = below;
		path = slash + 1;
	}
	*name = path;
	return at;
}

static int
write_site(int dir, const struct site *site, struct err *e)
{
	for (size_t i = 0; i < site->count; i++) {
		const struct site_file *f = &site->files[i];
		const char *name;
		int parent = open_parent(dir, f->path, &name, e);
		int rc;

		if (parent < 0)
			return -1;
		rc = write_file(parent, name, f->data, f->len, e);
		close(parent);
		if (rc != 0)
			return err_wrap(e, "%s", f->path);
	}
	return 0;
}

/* ---- the parts ---- */

/* Makes the folder ours, or refuses when it is somebody else's. */
static int
claim_folder(int dir, struct err *e)
{
	if (exists(dir, MARKER))
		return 0;
	if (exists(dir, CONF) || exists(dir, WWW))
		return err_set(e, ERR_CONFIG,
		    "it has an nginx.conf or a www that was not rendered: "
		    "choose another folder");
	return write_file(dir, MARKER, "", 0, e);
}

/* What is served, in a new folder beside www. */
static int
stage_www(const struct render_tree *tree, int dir, struct err *e)
{
	int stage = make_folder(dir, WWW_STAGE, 0755, e);
	int rc;

	if (stage < 0)
		return -1;
	rc = write_site(stage, tree->site, e);
	close(stage);
	return rc;
}

/* Exchanges the new www and the old one in one step where the kernel can. */
static int
place_www(int dir, struct err *e)
{
	if (!exists(dir, WWW))
		return renameat(dir, WWW_STAGE, dir, WWW) == 0
		    ? 0
		    : fail(e, "make", WWW);
	if (renameat2(dir, WWW_STAGE, dir, WWW, RENAME_EXCHANGE) == 0)
		return 0;
	if (renameat(dir, WWW, dir, WWW_OLD) != 0)
		return fail(e, "replace", WWW);
	if (renameat(dir, WWW_STAGE, dir, WWW) == 0)
		return 0;
	fail(e, "replace", WWW);
	if (renameat(dir, WWW_OLD, dir, WWW) != 0)
		return fail(e, "restore", WWW);
	return -1;
}

static int
place(int dir, struct err *e)
{
	if (place_www(dir, e) != 0)
		return -1;
	if (renameat(dir, CONF_STAGE, dir, CONF) != 0)
		return fail(e, "replace", CONF);
	return fsync(dir) == 0 ? 0 : fail(e, "write", "the folder");
}

static int
make_tmp(const struct render_tree *tree, int dir, struct err *e)
{
	int fd = make_folder(dir, TMP, tree->tmp_mode, e);
	int rc = 0;

	if (fd < 0)
		return -1;
	if (tree->uid != (uid_t)-1 && fchown(fd, tree->uid, tree->gid) != 0)
		rc = fail(e, "chown", TMP);
	close(fd);
	return rc;
}

int
render_tree(const struct render_tree *tree, struct err *e)
{
	bool ours = false;
	int dir = -1;
	int rc = -1;

	if (file_make_folders(tree->folder, 0755, e) != 0)
		return -1;
	dir = open(tree->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		err_set_errno(e, ERR_CONFIG, errno, "open");
		goto out;
	}
	if (file_lock(dir, LOCK_WAIT_MS, e) != 0 || claim_folder(dir, e) != 0)
		goto out;
	ours = true;
	remove_stages(dir);
	if (stage_www(tree, dir, e) != 0 ||
	    write_file(dir, CONF_STAGE, tree->nginx_conf,
		strlen(tree->nginx_conf), e) != 0 ||
	    make_tmp(tree, dir, e) != 0)
		goto out;
	rc = place(dir, e);
out:
	if (ours)
		remove_stages(dir);
	if (dir >= 0)
		close(dir);
	return rc == 0 ? 0 : err_wrap(e, "%s", tree->folder);
}
