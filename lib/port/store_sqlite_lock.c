/* port/store_sqlite_lock.c - lock files beside the store. See store_sqlite.h.
 */
#include "port/store_sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { STORE_SQLITE_LOCK_TURNS = 8 };

int
store_sqlite_lock_file(const char *path, const char *suffix, struct err *e)
{
	struct err failed = {0};
	char *name = store_sqlite_file_beside(path, suffix);
	char *folder = store_sqlite_folder(path);
	struct stat st;
	int fd = file_lock_open(name, &failed);

	if (fd >= 0) {
		store_sqlite_file_give(fd, folder);
	} else {
		/* The folder is there, but not ours to write. */
		if (failed.code == ERR_CONFIG && access(folder, F_OK) == 0 &&
		    (lstat(name, &st) != 0 || S_ISREG(st.st_mode)))
			failed.code = ERR_FULL;
		err_set(e, failed.code, "%s", failed.text);
	}
	free(folder);
	free(name);
	return fd;
}

int
store_sqlite_lock_open(
    struct store_sqlite_lock *l, const char *path, int wait_ms, struct err *e)
{
	l->depth = 0;
	l->wait_ms = wait_ms;
	l->path = path;
	l->fd = store_sqlite_lock_file(path, ".lock", e);
	return l->fd >= 0 ? 0 : -1;
}

/* Whether ours is the lock file that all others find as well: it may have been
 * removed or put back with the store. */
static bool
store_sqlite_lock_is_current(const struct store_sqlite_lock *l)
{
	char *name = store_sqlite_file_beside(l->path, ".lock");
	struct stat ours, now;
	bool same = fstat(l->fd, &ours) == 0 && stat(name, &now) == 0 &&
	    ours.st_dev == now.st_dev && ours.st_ino == now.st_ino;

	free(name);
	return same;
}

int
store_sqlite_lock_take(struct store_sqlite_lock *l, struct err *e)
{
	if (l->fd < 0)
		return 0;
	for (int turn = 0; l->depth == 0; turn++) {
		int fd;

		if (turn == STORE_SQLITE_LOCK_TURNS)
			return err_set(e, ERR_RETRY,
			    "store: the lock file is replaced again and again");
		if (file_lock(l->fd, l->wait_ms, e) != 0)
			return err_wrap(e, "store");
		if (store_sqlite_lock_is_current(l))
			break;
		file_unlock(l->fd);
		fd = store_sqlite_lock_file(l->path, ".lock", e);
		if (fd < 0)
			return err_wrap(e, "store");
		close(l->fd);
		l->fd = fd;
	}
	l->depth++;
	return 0;
}

void
store_sqlite_lock_drop(struct store_sqlite_lock *l)
{
	if (l->fd < 0 || l->depth == 0)
		return;
	if (--l->depth == 0)
		file_unlock(l->fd);
}

void
store_sqlite_lock_close(struct store_sqlite_lock *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->depth = 0;
}

void
store_sqlite_lock_suspect(struct store_sqlite_lock *l, bool suspect)
{
	const char mark = suspect ? '!' : '.';
	ssize_t n = 0;

	if (l->fd >= 0)
		n = pwrite(l->fd, &mark, 1, 0);
	/* Unwritten: this handle itself still knows. */
	if (n != 1)
		errno = 0;
}

bool
store_sqlite_lock_is_suspect(const struct store_sqlite_lock *l)
{
	char mark = '.';

	return l->fd >= 0 && pread(l->fd, &mark, 1, 0) == 1 && mark == '!';
}
