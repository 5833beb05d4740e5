/* port/wake.c - see wake.h. */
#include "port/wake.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

static int
wake_address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	return text_copy(out->sun_path, sizeof(out->sun_path), path) ? 0 : -1;
}

int
wake_listen(const char *path, struct err *e)
{
	struct sockaddr_un a;
	int fd = wake_open(e);

	if (fd < 0)
		return -1;
	if (wake_address(path, &a) != 0) {
		err_set(e, ERR_CONFIG, "wake socket: path too long: %s", path);
		goto fail;
	}
	/* Only one sync runs at a time; what is there is left over. */
	if (unlink(path) != 0 && errno != ENOENT) {
		err_set_errno(e, ERR_CONFIG, errno, "wake socket %s", path);
		goto fail;
	}
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 ||
	    chmod(path, 0660) != 0) {
		err_set_errno(e, ERR_CONFIG, errno, "wake socket %s", path);
		goto fail;
	}
	return fd;
fail:
	close(fd);
	return -1;
}

void
wake_drain(int fd)
{
	char byte;

	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		;
}

int
wake_open(struct err *e)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_set_errno(e, ERR_RETRY, errno, "wake socket");
	return fd;
}

void
wake_send(int fd, const char *path)
{
	struct sockaddr_un a;

	/* EAGAIN: sync has not yet read an earlier one, which will do. */
	if (wake_address(path, &a) == 0)
		(void)!sendto(fd, "w", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
		    (const struct sockaddr *)&a, sizeof(a));
}
