/* ctl/render_tree.c - see render_tree.h. */
#include "render_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_MAX = 16 << 20, DEPTH_MAX = 8, LOCK_WAIT_MS = 5000 };

/* Says that the folder is ours to change. */
#define MARKER ".outlook-addinctl"
#define STAGE_PREFIX ".www-"

/* What the template has a content type for; nothing else is served. */
static const char *const static_kinds[] = {"html", "css", "js", "mjs", "json",
    "map", "webmanifest", "xml", "txt", "svg", "png", "ico", "woff2", NULL};

static int
path_in(char out[PATH_MAX], const char *folder, const char *name, struct err *e)
{
	if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(e, ERR_CONFIG, "%s: path too long", folder);
	return 0;
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* errno may belong to a file system that is full or read-only. */
static int
fail(struct err *e, const char *verb, const char *path)
{
	return err_set_errno(e, ERR_FULL, errno, "%s %s", verb, path);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static bool
is_static_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (name[0] == '.' || dot == NULL)
		return false;
	for (int i = 0; static_kinds[i] != NULL; i++) {
		if (strcmp(static_kinds[i], dot + 1) == 0)
			return true;
	}
	return false;
}

static int
write_file(const char *path, const char *data, size_t len, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = -1;

	if (fd < 0)
		return fail(e, "make", path);
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto out;
		data += n;
		len -= (size_t)n;
	}
	rc = fchmod(fd, 0644);
out:
	if (rc != 0)
		fail(e, "write", path);
	if (close(fd) != 0 && rc == 0)
		rc = fail(e, "write", path);
	return rc;
}

static int
copy_file(const char *from, const char *to, struct err *e)
{
	char *data = NULL;
	size_t len = 0;
	int rc;

	if (file_read(from, FILE_MAX, &data, &len, e) != 0)
		return -1;
	rc = write_file(to, data, len, e);
	free(data);
	return rc;
}

static int
make_folder(const char *path, mode_t mode, struct err *e)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return fail(e, "make", path);
	return chmod(path, mode) == 0 ? 0 : fail(e, "chmod", path);
}

/* Regular files of known kinds, links not followed. */
static int
copy_tree(const char *from, const char *to, int depth, struct err *e)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "open the static files %s", from);
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		char a[PATH_MAX], b[PATH_MAX];
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		rc = path_in(a, from, entry->d_name, e);
		if (rc == 0)
			rc = path_in(b, to, entry->d_name, e);
		if (rc != 0 || lstat(a, &st) != 0)
			continue;
		if (S_ISREG(st.st_mode) && is_static_name(entry->d_name)) {
			rc = copy_file(a, b, e);
		} else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			rc = make_folder(b, 0755, e);
			if (rc == 0)
				rc = copy_tree(a, b, depth + 1, e);
		}
	}
	closedir(dir);
	return rc;
}

/* What a killed render has left. Only under the lock. */
static void
remove_stages(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[PATH_MAX];
		struct err ignored = {0};

		if (strncmp(entry->d_name, STAGE_PREFIX,
			strlen(STAGE_PREFIX)) == 0 &&
		    path_in(path, folder, entry->d_name, &ignored) == 0)
			remove_tree(path);
	}
	if (dir != NULL)
		closedir(dir);
}

/* Makes the folder ours, or refuses when it is somebody else's. */
static int
claim_folder(const char *folder, struct err *e)
{
	char marker[PATH_MAX], conf[PATH_MAX], www[PATH_MAX];

	if (path_in(marker, folder, MARKER, e) != 0 ||
	    path_in(conf, folder, "nginx.conf", e) != 0 ||
	    path_in(www, folder, "www", e) != 0)
		return -1;
	if (exists(marker))
		return 0;
	if (exists(conf) || exists(www))
		return err_set(e, ERR_CONFIG,
		    "%s has an nginx.conf or a www that was not rendered: "
		    "choose another folder",
		    folder);
	return write_file(marker, "", 0, e);
}

/* The static files and config.json in a new folder beside www. */
static int
stage_www(const struct render_tree *tree, char *stage, struct err *e)
{
	char path[PATH_MAX];

	if (path_in(stage, tree->folder, STAGE_PREFIX "XXXXXX", e) != 0)
		return -1;
	if (mkdtemp(stage) == NULL) {
		stage[0] = '\0';
		return fail(e, "make a folder in", tree->folder);
	}
	if (chmod(stage, 0755) != 0)
		return fail(e, "chmod", stage);
	if (copy_tree(tree->www, stage, 0, e) != 0 ||
	    path_in(path, stage, "config.json", e) != 0)
		return -1;
	return write_file(
	    path, tree->config_json, strlen(tree->config_json), e);
}

/* Exchanges stage and folder/www in one step where the kernel can. */
static int
place_www(const char *folder, const char *stage, struct err *e)
{
	char www[PATH_MAX], old[PATH_MAX];

	if (path_in(www, folder, "www", e) != 0 ||
	    path_in(old, folder, STAGE_PREFIX "old", e) != 0)
		return -1;
	if (!exists(www))
		return rename(stage, www) == 0 ? 0 : fail(e, "make", www);
	if (renameat2(AT_FDCWD, stage, AT_FDCWD, www, RENAME_EXCHANGE) == 0)
		return 0;
	if (rename(www, old) != 0)
		return fail(e, "replace", www);
	if (rename(stage, www) == 0)
		return 0;
	fail(e, "replace", www);
	if (rename(old, www) != 0)
		return fail(e, "restore", www);
	return -1;
}

static int
make_tmp(const struct render_tree *tree, struct err *e)
{
	char tmp[PATH_MAX];

	if (path_in(tmp, tree->folder, "tmp", e) != 0 ||
	    make_folder(tmp, tree->tmp_mode, e) != 0)
		return -1;
	if (tree->uid != (uid_t)-1 && chown(tmp, tree->uid, tree->gid) != 0)
		return fail(e, "chown", tmp);
	return 0;
}

int
render_tree(const struct render_tree *tree, struct err *e)
{
	char stage[PATH_MAX] = "", conf[PATH_MAX];
	int lock = -1;
	int rc = -1;

	if (path_in(conf, tree->folder, "nginx.conf", e) != 0 ||
	    file_make_folders(tree->folder, 0755, e) != 0)
		return -1;
	lock = open(tree->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0) {
		err_set_errno(e, ERR_CONFIG, errno, "open %s", tree->folder);
		goto out;
	}
	if (file_lock(lock, LOCK_WAIT_MS, e) != 0 ||
	    claim_folder(tree->folder, e) != 0)
		goto out;
	remove_stages(tree->folder);
	if (stage_www(tree, stage, e) != 0 || make_tmp(tree, e) != 0 ||
	    place_www(tree->folder, stage, e) != 0)
		goto out;
	rc = file_write_atomic(
	    conf, tree->nginx_conf, strlen(tree->nginx_conf), 0644, e);
out:
	if (lock >= 0 && stage[0] != '\0')
		remove_stages(tree->folder);
	if (lock >= 0)
		close(lock);
	return rc;
}
