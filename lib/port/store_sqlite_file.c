/* port/store_sqlite_file.c - see store_sqlite.h. */
#include "port/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/when.h"

enum { STORE_SQLITE_MODE = 0600 };

/* Full and read-only are waited out, the rest is for the operator. */
static int
store_sqlite_file_fail(struct err *e, const char *what, const char *path)
{
	int errnum = errno;
	enum err_code code = ERR_RETRY;

	if (errnum == ENOSPC || errnum == EDQUOT || errnum == EROFS ||
	    errnum == EACCES || errnum == EPERM)
		code = ERR_FULL;
	else if (errnum == ENOENT || errnum == ENOTDIR || errnum == EISDIR ||
	    errnum == ENAMETOOLONG || errnum == ELOOP)
		code = ERR_CONFIG;
	return err_set_errno(e, code, errnum, "%s %s", what, path);
}

char *
store_sqlite_file_beside(const char *path, const char *suffix)
{
	size_t cap = strlen(path) + strlen(suffix) + 1;
	char *out = mem_zalloc(cap);

	snprintf(out, cap, "%s%s", path, suffix);
	return out;
}

char *
store_sqlite_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/")
			     : mem_strndup(path, (size_t)(slash - path));
}

int
store_sqlite_file_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd < 0)
		return store_sqlite_file_fail(e, "open", path);
	if (fsync(fd) != 0)
		rc = store_sqlite_file_fail(e, "sync", path);
	close(fd);
	return rc;
}

int
store_sqlite_folder_sync(const char *path, struct err *e)
{
	char *folder = store_sqlite_folder(path);
	int rc = store_sqlite_file_sync(folder, e);

	free(folder);
	return rc;
}

int64_t
store_sqlite_file_size(const char *path, const char *suffix)
{
	char *name = store_sqlite_file_beside(path, suffix);
	struct stat st;
	int64_t size = stat(name, &st) == 0 ? (int64_t)st.st_size : 0;

	free(name);
	return size;
}

int
store_sqlite_file_identify(const char *path, struct store_sqlite_identity *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	out->device = st.st_dev;
	out->inode = st.st_ino;
	return 0;
}

void
store_sqlite_file_give(int fd, const char *folder)
{
	struct stat like, st;

	/* A file with a second name may be anyone's. */
	if (geteuid() != 0 || stat(folder, &like) != 0 || fstat(fd, &st) != 0 ||
	    st.st_nlink > 1 || st.st_uid == like.st_uid)
		return;
	if (fchown(fd, like.st_uid, like.st_gid) != 0)
		errno = 0; /* no worse than before */
}

static int
store_sqlite_file_create(const char *path, struct err *e)
{
	char *folder = store_sqlite_folder(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY,
	    STORE_SQLITE_MODE);
	int rc = -1;

	if (fd < 0) {
		store_sqlite_file_fail(e, "make", path);
		goto out;
	}
	store_sqlite_file_give(fd, folder);
	close(fd);
	rc = store_sqlite_folder_sync(path, e);
out:
	free(folder);
	return rc;
}

int
store_sqlite_file_prepare(const char *path, bool create, struct err *e)
{
	struct stat st;

	if (file_is_on_network(path))
		return err_set(e, ERR_CONFIG,
		    "%s is on a network file system, where SQLite's locks can "
		    "not be trusted",
		    path);
	if (lstat(path, &st) == 0) {
		/* SQLite would put the WAL beside its target, we the lock
		 * beside the link. */
		if (S_ISLNK(st.st_mode))
			return err_set(e, ERR_CONFIG,
			    "%s is a symbolic link; give the path of the file "
			    "itself",
			    path);
		if (!S_ISREG(st.st_mode))
			return err_set(
			    e, ERR_CONFIG, "%s is not a regular file", path);
		return 0;
	}
	if (errno != ENOENT)
		return store_sqlite_file_fail(e, "look at", path);
	if (!create)
		return err_set(e, ERR_GONE, "there is no store at %s", path);
	return store_sqlite_file_create(path, e);
}

/* Neither through a link nor by opening it for real: closing any descriptor of
 * a database takes SQLite's locks away. */
static void
store_sqlite_file_close_to_others(const char *name)
{
	int fd = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char proc[64];
	struct stat st;

	if (fd < 0)
		return;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	/* Someone else's file stays as it is: it can be used all the same, and
	 * its owner will set it right. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_mode & 077) != 0 && chmod(proc, STORE_SQLITE_MODE) != 0)
		errno = 0;
	close(fd);
}

void
store_sqlite_file_protect(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = store_sqlite_file_beside(path, suffixes[i]);

		store_sqlite_file_close_to_others(name);
		free(name);
	}
}

/* "-20261123T083225Z" */
static void
store_sqlite_stamp(int64_t now_ms, char *out, size_t cap)
{
	struct when_utc t;

	when_to_utc(now_ms, &t);
	snprintf(out, cap, ".corrupt-%04d%02d%02dT%02d%02d%02dZ", t.year,
	    t.month, t.day, t.hour, t.minute, t.second);
}

/* Missing is fine. */
static int
store_sqlite_rename(
    const char *path, const char *suffix, const char *aside, struct err *e)
{
	char *from = store_sqlite_file_beside(path, suffix);
	char *to = store_sqlite_file_beside(aside, suffix);
	int rc = 0;

	if (rename(from, to) != 0 && errno != ENOENT)
		rc = store_sqlite_file_fail(e, "move aside", from);
	free(from);
	free(to);
	return rc;
}

/* A mistaken path must not cost anyone a file: a store has left a WAL beside
 * it, or is still an SQLite database. */
static bool
store_sqlite_was_a_store(const char *path)
{
	static const char magic[] = "SQLite format 3";
	char head[sizeof(magic)] = "";
	char *wal = store_sqlite_file_beside(path, "-wal");
	bool found = access(wal, F_OK) == 0;
	int fd = -1;

	free(wal);
	if (!found)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0) {
		found = read(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		    memcmp(head, magic, sizeof(magic)) == 0;
		close(fd);
	}
	return found;
}

int
store_sqlite_move_aside(const char *path, int64_t now_ms, struct err *e)
{
	struct store_sqlite_lock lock = {path, -1, 0, 0};
	struct stat st;
	char stamp[64];
	char *aside = NULL;
	int rc = -1;

	if (!store_sqlite_was_a_store(path)) {
		err_set(e, ERR_CONFIG,
		    "%s does not look like a store and is left where it is",
		    path);
		goto out;
	}
	if (store_sqlite_lock_open(&lock, path, -1, e) != 0 ||
	    store_sqlite_lock_take(&lock, e) != 0)
		goto out;
	store_sqlite_stamp(now_ms, stamp, sizeof(stamp));
	aside = store_sqlite_file_beside(path, stamp);
	if (lstat(aside, &st) == 0) {
		err_set(e, ERR_RETRY, "%s is there already", aside);
		goto out;
	}
	/* The database first: a WAL that is left alone is never replayed into
	 * a new, empty database, but a database without its WAL would look
	 * whole. */
	if (store_sqlite_rename(path, "", aside, e) != 0 ||
	    store_sqlite_rename(path, "-wal", aside, e) != 0 ||
	    store_sqlite_rename(path, "-shm", aside, e) != 0)
		goto out;
	store_sqlite_lock_suspect(&lock, false);
	rc = store_sqlite_folder_sync(path, e);
out:
	store_sqlite_lock_close(&lock);
	free(aside);
	return rc;
}
