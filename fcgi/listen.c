/* fcgi/listen.c - see listen.h. */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

/* Of the protocol of sd_listen_fds(3): the first descriptor that is handed
 * over, when LISTEN_PID is ours. */
enum { LISTEN_INHERITED_FD = 3 };

enum {
	LISTEN_BACKLOG = 4096,
	LISTEN_MODE = 0660,
	LISTEN_FOLDER_MODE = 0750,
	LISTEN_PATIENCE_MS = 2000,
	LISTEN_PAUSE_MS = 50
};

static const char account_default[] = "outlook-addin";

/* The socket that this process has made. */
static struct {
	dev_t device;
	ino_t inode;
} listen_own;

int
account_find(const char *name, struct account *out, struct err *e)
{
	const struct passwd *pw;

	memset(out, 0, sizeof(*out));
	if (geteuid() != 0) {
		/* Nothing to drop; saying who we are already is fine. */
		pw = name != NULL ? getpwnam(name) : NULL;
		if (name != NULL && (pw == NULL || pw->pw_uid != geteuid()))
			return err_set(e, ERR_CONFIG,
			    "--user: only root can become %s", name);
		return 0;
	}
	pw = getpwnam(name != NULL ? name : account_default);
	if (pw == NULL && name != NULL)
		return err_set(
		    e, ERR_CONFIG, "--user: there is no account %s", name);
	if (pw == NULL || pw->pw_uid == 0)
		return 0;
	out->set = true;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	text_copy(out->name, sizeof(out->name), pw->pw_name);
	return 0;
}

int
account_drop(const struct account *a, struct err *e)
{
	if (!a->set)
		return 0;
	if (initgroups(a->name, a->gid) != 0 || setgid(a->gid) != 0 ||
	    setuid(a->uid) != 0)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "become %s", a->name);
	if (setuid(0) == 0)
		return err_set(e, ERR_CONFIG, "become %s: still root", a->name);
	return 0;
}

static int
listen_give(const char *path, const struct account *a, struct err *e)
{
	if (a->set && lchown(path, a->uid, a->gid) != 0)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "give %s to %s", path, a->name);
	return 0;
}

static int
listen_make_folder(const char *path, const struct account *a, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	struct stat st;
	int rc = 0;

	if (slash == NULL || slash == path)
		return 0;
	folder = mem_strndup(path, (size_t)(slash - path));
	if (stat(folder, &st) != 0) {
		rc = file_make_folders(folder, LISTEN_FOLDER_MODE, e);
		if (rc == 0)
			rc = listen_give(folder, a, e);
	}
	free(folder);
	return rc;
}

static int
listen_socket(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 ? fd : err_set_errno(e, ERR_CONFIG, errno, "socket");
}

/* What connecting gives: an errno, 0: somebody listens. */
static int
listen_probe(int fd, const struct sockaddr_un *address)
{
	int errnum = 0;

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) !=
	    0)
		errnum = errno;
	close(fd);
	/* Its backlog is full. */
	return errnum == EAGAIN ? 0 : errnum;
}

/* 0: the name is free, 1: somebody listens there. */
static int
listen_try_path(
    const char *path, const struct sockaddr_un *address, struct err *e)
{
	struct stat st;
	int fd, errnum;

	if (lstat(path, &st) != 0)
		return errno == ENOENT
		    ? 0
		    : err_set_errno(e, ERR_CONFIG, errno, "socket %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(
		    e, ERR_CONFIG, "%s exists and is not a socket", path);
	fd = listen_socket(e);
	if (fd < 0)
		return -1;
	errnum = listen_probe(fd, address);
	if (errnum == 0)
		return 1;
	if (errnum != ECONNREFUSED && errnum != ENOENT)
		return err_set_errno(e, ERR_CONFIG, errnum, "socket %s", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "remove stale socket %s", path);
	return 0;
}

/* Of a supervisor that was killed the children end with it, but not at once:
 * what listens is given a moment before it counts as another server. */
static int
listen_clear_path(
    const char *path, const struct sockaddr_un *address, struct err *e)
{
	int64_t end_ms = clock_mono_ms() + LISTEN_PATIENCE_MS;
	int rc;

	while ((rc = listen_try_path(path, address, e)) == 1 &&
	    clock_mono_ms() < end_ms)
		clock_pause_ms(LISTEN_PAUSE_MS);
	return rc != 1
	    ? rc
	    : err_set(e, ERR_CONFIG, "another process listens on %s", path);
}

static int
listen_bind(int fd, const char *path, const struct sockaddr_un *address,
    const struct account *a, struct err *e)
{
	mode_t mask = umask(0777 & ~LISTEN_MODE);
	int rc = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	int errnum = errno;
	struct stat st;

	umask(mask);
	if (rc != 0)
		return err_set_errno(e, ERR_CONFIG, errnum, "bind %s", path);
	if (listen_give(path, a, e) != 0)
		return -1;
	if (listen(fd, LISTEN_BACKLOG) != 0 || lstat(path, &st) != 0)
		return err_set_errno(
		    e, ERR_CONFIG, errno, "listen on %s", path);
	listen_own.device = st.st_dev;
	listen_own.inode = st.st_ino;
	return 0;
}

int
listen_open(const char *path, const struct account *a, struct err *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = -1, rc = -1;

	if (!text_copy(address.sun_path, sizeof(address.sun_path), path)) {
		err_set(
		    e, ERR_CONFIG, "path of the socket is too long: %s", path);
		goto out;
	}
	if (listen_make_folder(path, a, e) != 0)
		goto out;
	fd = listen_socket(e);
	if (fd < 0 || listen_clear_path(path, &address, e) != 0 ||
	    listen_bind(fd, path, &address, a, e) != 0)
		goto out;
	rc = fd;
out:
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc;
}

/* How many descriptors are meant for us; what says so goes no further. */
static long
listen_inherited(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	long n = 0;

	if (pid != NULL && count != NULL &&
	    strtol(pid, NULL, 10) == (long)getpid())
		n = strtol(count, NULL, 10);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return n;
}

/* Is it a unix socket that listens, of that name? */
static bool
listen_is_at(int fd, const char *path)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address) - 1;
	int on = 0;
	socklen_t size = sizeof(on);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 &&
	    on != 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    address.sun_family == AF_UNIX &&
	    strcmp(address.sun_path, path) == 0;
}

int
listen_inherit(const char *path, int *fd, struct err *e)
{
	long count = listen_inherited();

	*fd = -1;
	if (count <= 0)
		return 0;
	if (count != 1 || !listen_is_at(LISTEN_INHERITED_FD, path))
		return err_set(e, ERR_CONFIG,
		    "systemd hands over another socket than %s, which "
		    "fastcgiListen names: change ListenStream= of "
		    "outlook-addin.socket",
		    path);
	if (fcntl(LISTEN_INHERITED_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(LISTEN_INHERITED_FD, F_SETFL, O_NONBLOCK) != 0)
		return err_set_errno(e, ERR_CONFIG, errno, "socket %s", path);
	*fd = LISTEN_INHERITED_FD;
	return 0;
}

void
listen_unlink(const char *path)
{
	struct stat st;

	if (listen_own.inode != 0 && lstat(path, &st) == 0 &&
	    st.st_dev == listen_own.device && st.st_ino == listen_own.inode)
		(void)!unlink(path);
	listen_own.inode = 0;
}
