/* ctl/health.c - outlook-addinctl health: does the program answer? */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/file.h"
#include "ctl.h"
#include "fcgi_client.h"
#include "port/config_listen.h"

enum { TIMEOUT_MS = 3000, BODY_MAX = 64 << 10, ARGV_MAX = 4096 };

/* Who answers for the container, or for the host. */
enum health { HEALTH_WEB, HEALTH_NGINX, HEALTH_RENEW };

/* conf/container/entry makes a role's program process 1. Where that is another
 * one, as on a host, or has web among its children, web is asked. */
static enum health
who_answers(void)
{
	static const char nginx_alone[] = "--role\0none";
	struct err unread = {0};
	enum health who = HEALTH_WEB;
	char *argv = NULL;
	const char *name;
	size_t len;

	if (file_read("/proc/1/cmdline", ARGV_MAX, &argv, &len, &unread) != 0)
		return HEALTH_WEB;
	name = strrchr(argv, '/');
	name = name == NULL ? argv : name + 1;
	if (strcmp(name, "outlook-addin-renew") == 0)
		who = HEALTH_RENEW;
	else if (strcmp(name, "outlook-addin-fcgi") == 0 &&
	    memmem(argv, len, nginx_alone, sizeof(nginx_alone)) != NULL)
		who = HEALTH_NGINX;
	free(argv);
	return who;
}

static int
ask_web(const struct config *c, struct err *e)
{
	struct buf body;
	int status;

	buf_init(&body, BODY_MAX);
	status = fcgi_client_get(
	    c->fastcgi_listen + strlen("unix:"), "/live", TIMEOUT_MS, &body, e);
	buf_clear(&body);
	if (status < 0)
		return -1;
	if (status != 200)
		return err_set(e, ERR_RETRY, "the answer is %d", status);
	return 0;
}

/* To where nginx listens; "every address" is an address of this machine. */
static int
connect_nginx(int fd, const struct config_listen *l)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)l->port)};

	memcpy(&v4.sin_addr, l->address, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, l->address, sizeof(v6.sin6_addr));
	return l->v6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6))
		     : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
}

/* Whether what it says is an answer at all: 503, when web is down, is one. */
static int
exchange(int fd, const struct config_listen *l, struct err *e)
{
	static const char request[] = "GET /live HTTP/1.1\r\nHost: health\r\n"
				      "Connection: close\r\n\r\n";
	static const char answer[] = "HTTP/1.1 ";
	const struct timeval patience = {TIMEOUT_MS / 1000, 0};
	char text[sizeof(answer) - 1];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect_nginx(fd, l) != 0 ||
	    send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return err_set_errno(e, ERR_RETRY, errno, "connect");
	if (recv(fd, text, sizeof(text), MSG_WAITALL) !=
		(ssize_t)sizeof(text) ||
	    memcmp(text, answer, sizeof(text)) != 0)
		return err_set(e, ERR_RETRY, "no answer");
	return 0;
}

static int
ask_nginx(const struct config *c, struct err *e)
{
	struct config_listen l;
	int fd, rc;

	config_listen_parse(c->http_listen, &l);
	fd = socket(l.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(e, ERR_RETRY, errno, "socket");
	rc = exchange(fd, &l, e);
	if (rc != 0)
		err_wrap(e, "nginx at %s", c->http_listen);
	close(fd);
	return rc;
}

static int
ask(enum health who, const struct config *c, struct err *e)
{
	switch (who) {
	case HEALTH_NGINX:
		return ask_nginx(c, e);
	case HEALTH_RENEW:
		return 0; /* else nobody were here to ask */
	case HEALTH_WEB:
		break;
	}
	return ask_web(c, e);
}

static int
run(struct ctl *ctl, int argc, char **argv)
{
	struct config config;
	struct err e = {0};
	int code = CTL_DONE;
	int rc;

	if (ctl_parse(ctl, NULL, argc, argv, NULL, 0, &code) < 0)
		return code;
	ctl->quiet = true;
	code = ctl_load(ctl, CONFIG_ROLE_WEB, &config);
	if (code != CTL_DONE)
		return code;
	rc = ask(who_answers(), &config, &e);
	config_clear(&config);
	if (rc != 0) {
		ctl_say("not alive: %s", e.text);
		return CTL_FAILED;
	}
	puts("alive");
	return ctl_finish();
}

const struct ctl_command ctl_health = {
    .name = "health",
    .usage = "",
    .summary = "Asks web, or a container's one program, whether it is alive",
    .run = run,
};
