/* fcgi/child.h - one program, several processes: how a child is made and how
 * it knows what it is. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/page.h"
#include "port/config.h"

enum child_role {
	CHILD_WEB,
	CHILD_SYNC,
	CHILD_CHECK, /* reads the configuration as the others will, and ends */
	CHILD_INSPECT, /* looks whether the store is sound, and ends */
	CHILD_NGINX, /* another program: nginx, from a rendered folder */
	CHILD_RENEW, /* another program: outlook-addin-renew --loop */
	CHILD_NONE /* not a child: the supervisor */
};

/* A counter of the page: a child adds to it when the store seems corrupt, and
 * the supervisor has it inspected. */
enum { CHILD_PAGE_SUSPECT = PAGE_COUNTERS - 1 };

/* "web", "sync", "check", "inspect", "nginx", "renew", "supervisor" */
const char *child_role_name(enum child_role role);

struct child_options {
	enum child_role role;
	const struct config_override *over;
	unsigned roles; /* with CHILD_CHECK: whose configuration it reads */
	const char *nginx_folder; /* with CHILD_NGINX: its -p */
	bool with_secrets;
	bool with_store_password; /* never CHILD_NGINX */
	int listen_fd; /* -1: none */
	bool listen_stays; /* somebody else keeps it, see listen_inherit() */
	int page_fd; /* -1: none */
	int crash_signal; /* that the predecessor died of, 0: none */
};

/*
 * Forks and executes this very program as that child, or the other program,
 * which is looked for in PATH: an environment from an allow-list, no
 * descriptor but 0-2 and those given, no blocked signal, and SIGKILL (nginx:
 * SIGTERM, for its workers) when the supervisor dies. Its pid, or -1.
 */
pid_t child_start(const struct child_options *o, struct err *e);

/* What this process is, from its environment. */
enum child_role child_self(void);
/* With CHILD_CHECK: the roles that child_start() was given. */
unsigned child_checked_roles(void);
/* The descriptors that it was given; -1 and *e when there is none. */
int child_listen_fd(struct err *e);
bool child_listen_stays(void);
struct page *child_page(struct err *e);

#endif
