/* base/file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* Which errors an operator has to put right, and which pass. */
static enum err_code
file_err_code(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case EACCES:
	case EPERM:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EEXIST:
	case ENXIO:
		return ERR_CONFIG;
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EFBIG:
		return ERR_FULL;
	default:
		return ERR_RETRY;
	}
}

static int
file_fail(struct err *e, const char *verb, const char *path)
{
	int errnum = errno;

	return err_set_errno(
	    e, file_err_code(errnum), errnum, "%s %s", verb, path);
}

/* Reads to the end. st_size is a hint only: it is 0 under /proc. */
static int
file_read_all(int fd, const char *path, size_t hint, size_t limit, char **out,
    size_t *out_len, struct err *e)
{
	size_t cap = hint + 2;
	size_t len = 0;
	char *data = mem_realloc(NULL, cap);

	for (;;) {
		ssize_t n = read(fd, data + len, cap - 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			file_fail(e, "read", path);
			free(data);
			return -1;
		}
		len += (size_t)n;
		if (len > limit) {
			free(data);
			return err_set(e, ERR_INPUT,
			    "%s is larger than %zu bytes", path, limit);
		}
		if (n == 0)
			break;
		if (len == cap - 1) {
			cap += cap / 2 + 4096;
			data = mem_realloc(data, cap);
		}
	}
	data[len] = '\0';
	*out = data;
	*out_len = len;
	return 0;
}

int
file_read(
    const char *path, size_t limit, char **out, size_t *out_len, struct err *e)
{
	struct stat st;
	int rc = -1;
	/* O_NONBLOCK: a FIFO in the wrong place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return file_fail(e, "open", path);
	if (fstat(fd, &st) != 0)
		file_fail(e, "read", path);
	else if (!S_ISREG(st.st_mode))
		err_set(e, ERR_CONFIG, "%s is not a regular file", path);
	else if (st.st_size > 0 && (uintmax_t)st.st_size > limit)
		err_set(
		    e, ERR_INPUT, "%s is larger than %zu bytes", path, limit);
	else
		rc = file_read_all(
		    fd, path, (size_t)st.st_size, limit, out, out_len, e);
	close(fd);
	return rc;
}

/* The folder that path lies in. Yours. */
static char *
file_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return mem_strdup(".");
	while (slash > path && slash[-1] == '/')
		slash--;
	return slash == path ? mem_strdup("/")
			     : mem_strndup(path, (size_t)(slash - path));
}

static int
file_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* So that the rename itself survives a power cut. */
static int
file_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved;
	int rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

/* Fills and syncs the file aside; closes fd in any case. */
static int
file_fill(int fd, const void *data, size_t len, mode_t mode)
{
	int rc = 0;
	int saved = 0;

	if (file_write_all(fd, data, len) != 0 || fchmod(fd, mode) != 0 ||
	    fsync(fd) != 0) {
		rc = -1;
		saved = errno;
	}
	if (close(fd) != 0 && rc == 0) {
		rc = -1;
		saved = errno;
	}
	errno = saved;
	return rc;
}

int
file_write_atomic(
    const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *folder = file_folder(path);
	size_t cap = strlen(folder) + strlen(name) + 16;
	char *aside = mem_zalloc(cap);
	bool made = false;
	int rc = -1;
	int fd;

	snprintf(aside, cap, "%s/.%s.XXXXXX", folder, name);
	fd = mkostemp(aside, O_CLOEXEC); /* 0600 until it is complete */
	if (fd < 0) {
		file_fail(e, "write", path);
		goto out;
	}
	made = true;
	if (file_fill(fd, data, len, mode) != 0 || rename(aside, path) != 0) {
		file_fail(e, "write", path);
		goto out;
	}
	made = false;
	if (file_sync_folder(folder) != 0) {
		file_fail(e, "sync", folder);
		goto out;
	}
	rc = 0;
out:
	if (made)
		unlink(aside);
	free(aside);
	free(folder);
	return rc;
}

int
file_make_folders(const char *path, mode_t mode, struct err *e)
{
	char *work = mem_strdup(path);
	struct stat st;
	int rc = -1;
	size_t at = 0;

	do {
		char kept;

		while (work[at] == '/')
			at++;
		while (work[at] != '/' && work[at] != '\0')
			at++;
		kept = work[at];
		work[at] = '\0';
		/* chmod: mode as asked for, whatever the umask. */
		if (work[0] != '\0' && mkdir(work, 0700) == 0) {
			if (chmod(work, mode) != 0) {
				file_fail(e, "make folder", work);
				goto out;
			}
		} else if (work[0] != '\0' && stat(work, &st) == 0) {
			if (!S_ISDIR(st.st_mode)) {
				err_set(
				    e, ERR_CONFIG, "%s is not a folder", work);
				goto out;
			}
		} else {
			file_fail(e, "make folder", work);
			goto out;
		}
		work[at] = kept;
	} while (work[at] != '\0');
	rc = 0;
out:
	free(work);
	return rc;
}

int
file_lock_open(const char *path, struct err *e)
{
	/* Never through a link: root would make, or write to, its target. */
	int fd = open(path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
	    0600);
	struct stat st;

	if (fd < 0)
		return file_fail(e, "open lock", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(e, ERR_CONFIG, "%s is not a regular file", path);
}

/* A lock of the open file (not of the process) on the first byte: the gate. It
 * knows nothing of flock(), and goes away with the descriptor as well. */
static int
file_gate(int fd, short type, bool wait)
{
	struct flock gate = {
	    .l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

	return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &gate);
}

/* One try, or in the kernel until it is there. 1 taken, 0 held, -1 errno. */
static int
file_lock_try(int fd, bool gate, bool wait)
{
	int rc;

	do {
		rc = gate ? file_gate(fd, F_WRLCK, wait)
			  : flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	} while (rc != 0 && errno == EINTR);
	if (rc == 0)
		return 1;
	return errno == EWOULDBLOCK || errno == EACCES ? 0 : -1;
}

/* As file_lock_try(), but tries until end_ms (monotonic). */
static int
file_lock_until(int fd, bool gate, int64_t end_ms)
{
	int64_t pause_ms = 1;

	for (;;) {
		int rc = file_lock_try(fd, gate, false);
		int64_t left_ms = end_ms - clock_mono_ms();

		if (rc != 0 || left_ms <= 0)
			return rc;
		clock_pause_ms(pause_ms < left_ms ? pause_ms : left_ms);
		/* Behind the gate it is our turn next: no long sleep. */
		pause_ms = pause_ms < (gate ? 4 : 2) ? 2 * pause_ms : pause_ms;
	}
}

int
file_lock(int fd, int wait_ms, struct err *e)
{
	int64_t end_ms = wait_ms > 0 ? clock_mono_ms() + wait_ms : 0;
	int gate = 0;
	int rc;

	/* Whoever frees the lock and wants it again at once finds the one who
	 * has waited behind the gate. Without gates on this file system it
	 * still is a lock. */
	if (wait_ms < 0)
		gate = file_lock_try(fd, true, true);
	else if (wait_ms > 0)
		gate = file_lock_until(fd, true, end_ms);
	if (wait_ms > 0)
		rc = file_lock_until(fd, false, end_ms);
	else
		rc = file_lock_try(fd, false, wait_ms < 0);
	if (rc < 0)
		err_set_errno(e, ERR_RETRY, errno, "lock");
	else if (rc == 0)
		err_set(e, ERR_RETRY, "the lock is held by another process");
	if (gate == 1)
		(void)file_gate(fd, F_UNLCK, false);
	return rc == 1 ? 0 : -1;
}

void
file_unlock(int fd)
{
	flock(fd, LOCK_UN);
}

bool
file_is_on_network(const char *path)
{
	/* Magic numbers of linux/magic.h and of the file systems themselves:
	 * NFS, SMB, CIFS, SMB2, AFS (two), Coda, Ceph, Lustre, GPFS, OCFS2,
	 * GFS2, BeeGFS, OrangeFS, 9p. FUSE says nothing about where it
	 * stores. */
	static const uint32_t magics[] = {0x6969, 0x517B, 0xFF534D42,
	    0xFE534D42, 0x5346414F, 0x6B414653, 0x73757245, 0x00C36400,
	    0x0BD00BD0, 0x47504653, 0x7461636F, 0x01161970, 0x19830326,
	    0x20030528, 0x01021997};
	struct statfs fs;
	int rc = statfs(path, &fs);

	if (rc != 0 && errno == ENOENT) {
		char *folder = file_folder(path);

		rc = statfs(folder, &fs);
		free(folder);
	}
	if (rc != 0)
		return false;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if ((uint32_t)fs.f_type == magics[i])
			return true;
	}
	return false;
}
