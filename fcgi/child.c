/* fcgi/child.c - see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"

/* Set by us only; one that comes from outside is not handed on. */
#define ENV_CHILD "OUTLOOK_ADDIN_CHILD"
#define ENV_LISTEN "OUTLOOK_ADDIN_LISTEN_FD"
#define ENV_STAYS "OUTLOOK_ADDIN_LISTEN_STAYS"
#define ENV_PAGE "OUTLOOK_ADDIN_PAGE_FD"
#define ENV_CRASH "OUTLOOK_ADDIN_CRASH_SIGNAL"
#define ENV_ROLES "OUTLOOK_ADDIN_CHECK_ROLES"

enum { ENV_MAX = 256, ARGS_MAX = 12, SETTING_MAX = 64, OWN_MAX = 6 };

extern char **environ;

static const char *const child_names[] = {
    [CHILD_WEB] = "web",
    [CHILD_SYNC] = "sync",
    [CHILD_CHECK] = "check",
    [CHILD_INSPECT] = "inspect",
    [CHILD_NGINX] = "nginx",
    [CHILD_RENEW] = "renew",
    [CHILD_NONE] = "supervisor",
};

const char *
child_role_name(enum child_role role)
{
	return child_names[role];
}

/* Is it another program than this one? */
static bool
child_is_other(enum child_role role)
{
	return role == CHILD_NGINX || role == CHILD_RENEW;
}

/* ---- environment ---- */

/* A trailing '*' stands for any rest, a leading one for any beginning. */
static const char *const child_env_all[] = {"PATH", "TZ", "LANG", "LD_PRELOAD",
    "FAKETIME*", "*SAN_OPTIONS", "GCOV_*", "NOTIFY_SOCKET", "OUTLOOK_ADDIN_*",
    "SSL_CERT_*", NULL};
/* Web's only secret, and that with PostgreSQL only. */
static const char *const child_env_store[] = {"DATABASE_PASSWORD*", NULL};
static const char *const child_env_secrets[] = {"CLIENT_SECRET*",
    "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET*", "CREDENTIALS_DIRECTORY", NULL};
/* FAKETIME_SHARED names a semaphore of libfaketime: held by one of us that is
 * killed it would stop all others, so each process has its own. */
static const char *const child_env_own[] = {ENV_CHILD, ENV_LISTEN, ENV_STAYS,
    ENV_PAGE, ENV_CRASH, ENV_ROLES, "FAKETIME_SHARED", NULL};

static bool
child_matches(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return len >= n - 1 && strncmp(name, pattern, n - 1) == 0;
	if (pattern[0] == '*')
		return len >= n - 1 &&
		    strncmp(name + len - (n - 1), pattern + 1, n - 1) == 0;
	return len == n && strncmp(name, pattern, n) == 0;
}

static bool
child_is_listed(const char *const *patterns, const char *setting)
{
	size_t len = strcspn(setting, "=");

	for (; *patterns != NULL; patterns++)
		if (child_matches(*patterns, setting, len))
			return true;
	return false;
}

/* What is handed on of our own environment; the texts are borrowed. */
static size_t
child_inherit(const struct child_options *o, char **out, size_t cap)
{
	size_t count = 0;

	for (char **p = environ; *p != NULL && count < cap; p++)
		if (!child_is_listed(child_env_own, *p) &&
		    (child_is_listed(child_env_all, *p) ||
			(o->with_store_password && o->role != CHILD_NGINX &&
			    child_is_listed(child_env_store, *p)) ||
			(o->with_secrets &&
			    child_is_listed(child_env_secrets, *p))))
			out[count++] = *p;
	return count;
}

struct child_env {
	char own[OWN_MAX][SETTING_MAX];
	char *all[ENV_MAX + OWN_MAX + 1];
};

static void
child_make_env(const struct child_options *o, struct child_env *env)
{
	size_t n = child_inherit(o, env->all, ENV_MAX);
	size_t own = 0;

	if (child_is_other(o->role))
		return;
	snprintf(env->own[own++], SETTING_MAX, ENV_CHILD "=%s",
	    child_names[o->role]);
	if (o->listen_fd >= 0)
		snprintf(env->own[own++], SETTING_MAX, ENV_LISTEN "=%d",
		    o->listen_fd);
	if (o->listen_stays)
		snprintf(env->own[own++], SETTING_MAX, ENV_STAYS "=1");
	if (o->page_fd >= 0)
		snprintf(
		    env->own[own++], SETTING_MAX, ENV_PAGE "=%d", o->page_fd);
	if (o->crash_signal != 0)
		snprintf(env->own[own++], SETTING_MAX, ENV_CRASH "=%d",
		    o->crash_signal);
	if (o->roles != 0)
		snprintf(
		    env->own[own++], SETTING_MAX, ENV_ROLES "=%u", o->roles);
	for (size_t i = 0; i < own; i++)
		env->all[n++] = env->own[i];
	env->all[n] = NULL;
}

/* ---- arguments ---- */

struct child_args {
	size_t count;
	char *arg[ARGS_MAX];
};

static void
child_add_arg(struct child_args *a, const char *name, const char *value)
{
	if (value == NULL)
		return;
	a->arg[a->count++] = mem_strdup(name);
	a->arg[a->count++] = mem_strdup(value);
}

static void
child_make_nginx_args(const struct child_options *o, struct child_args *a)
{
	a->arg[a->count++] = mem_strdup("nginx");
	child_add_arg(a, "-e", "stderr");
	child_add_arg(a, "-p", o->nginx_folder);
	child_add_arg(a, "-c", "nginx.conf");
	child_add_arg(a, "-g", "daemon off;");
}

static void
child_make_args(const struct child_options *o, struct child_args *a)
{
	memset(a, 0, sizeof(*a));
	if (o->role == CHILD_NGINX) {
		child_make_nginx_args(o, a);
		return;
	}
	if (o->role == CHILD_RENEW) {
		a->arg[a->count++] = mem_strdup("outlook-addin-renew");
		a->arg[a->count++] = mem_strdup("--loop");
	} else {
		a->arg[a->count++] = mem_strdup("outlook-addin-fcgi");
		child_add_arg(a, "--role", child_names[o->role]);
		child_add_arg(a, "--listen", o->over->listen);
	}
	child_add_arg(a, "--config", o->over->path);
	child_add_arg(a, "--database", o->over->database);
}

static void
child_clear_args(struct child_args *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->arg[i]);
}

/* ---- start ---- */

static void
child_keep_fd(int fd)
{
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) != 0)
		_exit(EXIT_FAILURE);
}

/* Between fork and exec. */
static void __attribute__((noreturn))
child_become(const struct child_options *o, struct child_args *args,
    struct child_env *env, pid_t parent)
{
	int end = o->role == CHILD_NGINX ? SIGTERM : SIGKILL;
	sigset_t none;
	int self;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Also kill -9 of the supervisor leaves no child behind. */
	if (prctl(PR_SET_PDEATHSIG, end) != 0 || getppid() != parent)
		_exit(EXIT_FAILURE);
	if (child_is_other(o->role)) {
		execvpe(args->arg[0], args->arg, env->all);
		_exit(EXIT_FAILURE);
	}
	child_keep_fd(o->listen_fd);
	child_keep_fd(o->page_fd);
	/* The running program itself, also when its file was replaced; by
	 * descriptor, since valgrind would start itself by that name. */
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	fexecve(self, args->arg, env->all);
	_exit(EXIT_FAILURE);
}

pid_t
child_start(const struct child_options *o, struct err *e)
{
	struct child_args args;
	struct child_env *env = mem_zalloc(sizeof(*env));
	pid_t parent = getpid();
	pid_t pid;

	child_make_args(o, &args);
	child_make_env(o, env);
	pid = fork();
	if (pid == 0)
		child_become(o, &args, env, parent);
	if (pid < 0)
		err_set_errno(e, ERR_RETRY, errno, "fork");
	child_clear_args(&args);
	free(env);
	return pid;
}

/* ---- inside the child ---- */

enum child_role
child_self(void)
{
	const char *name = getenv(ENV_CHILD);

	for (int i = CHILD_WEB; name != NULL && i < CHILD_NGINX; i++)
		if (strcmp(name, child_names[i]) == 0)
			return (enum child_role)i;
	return CHILD_NONE;
}

unsigned
child_checked_roles(void)
{
	const char *text = getenv(ENV_ROLES);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static int
child_fd(const char *name, struct err *e)
{
	const char *text = getenv(name);
	char *end = NULL;
	long fd = text != NULL ? strtol(text, &end, 10) : -1;

	if (text == NULL || *end != '\0' || fd < 3 || fd > 65535 ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_set(e, ERR_CONFIG, "%s: no descriptor", name);
	return (int)fd;
}

int
child_listen_fd(struct err *e)
{
	return child_fd(ENV_LISTEN, e);
}

bool
child_listen_stays(void)
{
	return getenv(ENV_STAYS) != NULL;
}

struct page *
child_page(struct err *e)
{
	int fd = child_fd(ENV_PAGE, e);
	struct page *page = fd >= 0 ? page_map(fd, e) : NULL;

	if (fd >= 0)
		close(fd);
	return page;
}
