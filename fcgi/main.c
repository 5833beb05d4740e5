/* fcgi/main.c - outlook-addin-fcgi: options, and which process this is. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "child.h"
#include "inspect.h"
#include "listen.h"
#include "port/config.h"
#include "supervisor.h"
#include "sync_main.h"
#include "web.h"

enum { EXIT_USAGE = 2, MESSAGES_MAX = 256 * 1024, STORE_FOLDER_MODE = 0750 };

static const char main_program[] = "outlook-addin-fcgi";

static const char main_help[] =
    "Usage: outlook-addin-fcgi [OPTION]...\n"
    "Answer the add-in's web requests and keep Unblu in step with Outlook.\n"
    "\n"
    "      --config FILE       configuration (else $OUTLOOK_ADDIN_CONFIG,\n"
    "                          /etc/outlook-addin/addin.json, ...)\n"
    "      --listen unix:PATH  FastCGI socket, instead of fastcgiListen\n"
    "      --database URL      store, instead of database\n"
    "      --role ROLE         web, sync, all (default) or none\n"
    "      --nginx FOLDER      run nginx as well, from a rendered folder\n"
    "      --renew             run outlook-addin-renew --loop as well\n"
    "      --user NAME         account that root drops to\n"
    "                          (default outlook-addin, if there is one)\n"
    "      --version           print the version and exit\n"
    "      --help              print this and exit\n";

struct main_options {
	struct config_override over;
	const char *user, *nginx_folder;
	unsigned roles;
	unsigned others; /* of the roles: other programs than this one */
	bool version, help;
	int mistakes; /* already logged */
};

/* Descriptors that we open must not become stdin, stdout or stderr. */
static void
main_open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* What ends us while we still start waits for the supervisor's loop. Children
 * begin without a mask. */
static void
main_hold_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* exec of /proc/self/exe would leave "exe" for ps and top. */
static void
main_set_name(enum child_role role)
{
	char name[16];

	snprintf(name, sizeof(name), "addin-%s", child_role_name(role));
	(void)!prctl(PR_SET_NAME, name);
}

static void
main_mistake(struct main_options *o, const char *what, const char *which)
{
	log_error("usage", LOG_STR("message", what), LOG_STR("option", which),
	    LOG_STR("help", "outlook-addin-fcgi --help"));
	o->mistakes++;
}

static void
main_set_role(struct main_options *o, const char *name)
{
	if (strcmp(name, "all") == 0)
		o->roles = SUPERVISOR_WEB | SUPERVISOR_SYNC;
	else if (strcmp(name, "web") == 0)
		o->roles = SUPERVISOR_WEB;
	else if (strcmp(name, "sync") == 0)
		o->roles = SUPERVISOR_SYNC;
	else if (strcmp(name, "none") == 0)
		o->roles = 0;
	else
		main_mistake(o, "role must be web, sync, all or none", name);
}

static void
main_take_option(struct main_options *o, int option, char **argv)
{
	switch (option) {
	case 'c':
		o->over.path = optarg;
		break;
	case 'l':
		o->over.listen = optarg;
		break;
	case 'd':
		o->over.database = optarg;
		break;
	case 'r':
		/* A child has been told by its environment. */
		if (child_self() == CHILD_NONE)
			main_set_role(o, optarg);
		break;
	case 'u':
		o->user = optarg;
		break;
	case 'n':
		o->nginx_folder = optarg;
		o->others |= SUPERVISOR_NGINX;
		break;
	case 'R':
		o->others |= SUPERVISOR_RENEW;
		break;
	case 'V':
		o->version = true;
		break;
	case 'h':
		o->help = true;
		break;
	case ':':
		main_mistake(o, "option needs a value", argv[optind - 1]);
		break;
	default:
		main_mistake(o, "unknown option", argv[optind - 1]);
		break;
	}
}

static void
main_read_options(struct main_options *o, int argc, char **argv)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"listen", required_argument, NULL, 'l'},
	    {"database", required_argument, NULL, 'd'},
	    {"role", required_argument, NULL, 'r'},
	    {"user", required_argument, NULL, 'u'},
	    {"nginx", required_argument, NULL, 'n'},
	    {"renew", no_argument, NULL, 'R'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	o->roles = SUPERVISOR_WEB | SUPERVISOR_SYNC;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1)
		main_take_option(o, option, argv);
	for (; optind < argc; optind++)
		main_mistake(o, "unexpected argument", argv[optind]);
	o->roles |= o->others;
	if (o->roles == 0)
		main_mistake(o, "role none needs --nginx or --renew", "--role");
}

/* ---- configuration ---- */

static void
main_log_lines(enum log_level level, const struct buf *lines)
{
	const char *at = buf_text(lines);

	while (*at != '\0') {
		size_t len = strcspn(at, "\n");
		char *line = mem_strndup(at, len);

		if (len > 0)
			log_write(level, "configuration",
			    LOG_STR("message", line), LOG_END);
		free(line);
		at += len;
		at += strspn(at, "\n");
	}
}

/* loud: every mistake and warning becomes a line of the log. */
static int
main_load(
    const struct main_options *o, unsigned roles, bool loud, struct config *out)
{
	struct buf problems, warnings;
	struct err e = {0};
	int rc;

	buf_init(&problems, MESSAGES_MAX);
	buf_init(&warnings, MESSAGES_MAX);
	rc = config_load(&o->over, roles, out, &problems, &warnings, &e);
	if (loud) {
		main_log_lines(LOG_LEVEL_ERROR, &problems);
		main_log_lines(LOG_LEVEL_WARNING, &warnings);
		if (rc != 0 && problems.len == 0)
			log_error("configuration", LOG_ERR(&e));
	}
	if (rc == 0)
		log_set_level(out->log_level);
	buf_clear(&problems);
	buf_clear(&warnings);
	return rc;
}

static unsigned
main_config_roles(unsigned roles)
{
	return (roles & SUPERVISOR_WEB ? CONFIG_ROLE_WEB : 0) |
	    (roles & SUPERVISOR_SYNC ? CONFIG_ROLE_SYNC : 0) |
	    (roles & SUPERVISOR_RENEW ? CONFIG_ROLE_RENEW : 0);
}

/* ---- the children ---- */

static int
main_be_web(const struct main_options *o)
{
	struct config config;
	struct err e = {0};
	struct page *page;
	int fd, rc;

	if (main_load(o, CONFIG_ROLE_WEB, true, &config) != 0)
		return EXIT_USAGE;
	fd = child_listen_fd(&e);
	page = child_page(&e);
	if (fd < 0 || page == NULL) {
		log_error("web-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	rc = web_main(&config, page, fd, child_listen_stays());
	page_free(page);
	close(fd);
	config_clear(&config);
	return rc;
}

static int
main_be_sync(const struct main_options *o)
{
	struct config config;
	struct err e = {0};
	struct page *page;
	int rc;

	if (main_load(o, CONFIG_ROLE_SYNC, true, &config) != 0)
		return EXIT_USAGE;
	page = child_page(&e);
	if (page == NULL) {
		log_error("sync-failed", LOG_ERR(&e));
		return EXIT_FAILURE;
	}
	rc = sync_main(&config, page);
	page_free(page);
	config_clear(&config);
	return rc;
}

static int
main_be_check(const struct main_options *o)
{
	struct config config;

	if (main_load(o, main_config_roles(child_checked_roles()), true,
		&config) != 0)
		return EXIT_USAGE;
	config_clear(&config);
	return EXIT_SUCCESS;
}

static int
main_be_inspector(const struct main_options *o)
{
	struct config config;
	int rc;

	if (main_load(o, CONFIG_ROLE_WEB, false, &config) != 0)
		return EXIT_USAGE;
	rc = inspect_main(&config);
	config_clear(&config);
	return rc;
}

/* ---- the supervisor ---- */

/* The supervisor reads no secret; a child that may looks for all mistakes of
 * all roles at once. */
static int
main_check(const struct main_options *o)
{
	const struct child_options child = {
	    .role = CHILD_CHECK,
	    .over = &o->over,
	    .roles = o->roles,
	    .with_secrets =
		(o->roles & (SUPERVISOR_SYNC | SUPERVISOR_RENEW)) != 0,
	    .with_store_password = true,
	    .listen_fd = -1,
	    .page_fd = -1,
	};
	struct err e = {0};
	int status = 0;
	pid_t pid = child_start(&child, &e);

	if (pid < 0) {
		log_error("configuration", LOG_ERR(&e));
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
		return 0;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_USAGE)
		log_error("configuration",
		    LOG_STR("message", "could not be checked"),
		    LOG_INT("status", status));
	return -1;
}

/* As root: a folder for a new store that the account can write to. */
static int
main_make_store_folder(
    const struct config *c, const struct account *a, struct err *e)
{
	static const char scheme[] = "sqlite:";
	const char *path = c->database + sizeof(scheme) - 1;
	const char *slash;
	struct stat st;
	char *folder;
	int rc = 0;

	if (!a->set || strncmp(c->database, scheme, sizeof(scheme) - 1) != 0)
		return 0;
	slash = strrchr(path, '/');
	if (slash == NULL || slash == path)
		return 0;
	folder = mem_strndup(path, (size_t)(slash - path));
	if (stat(folder, &st) != 0) {
		rc = file_make_folders(folder, STORE_FOLDER_MODE, e);
		if (rc == 0 && lchown(folder, a->uid, a->gid) != 0)
			rc = err_set_errno(
			    e, ERR_CONFIG, errno, "give %s away", folder);
	}
	free(folder);
	return rc;
}

/* The socket that is there already, else one of our own. */
static int
main_listen(const char *path, const struct account *a, int *fd, bool *stays,
    struct err *e)
{
	if (listen_inherit(path, fd, e) != 0)
		return -1;
	*stays = *fd >= 0;
	if (!*stays)
		*fd = listen_open(path, a, e);
	return *fd >= 0 ? 0 : -1;
}

/* What needs root: folders, the socket; then root is given up. */
static int
main_settle(const struct main_options *o, const struct config *c,
    const struct account *a, int *listen_fd, bool *stays, struct err *e)
{
	if ((o->roles & SUPERVISOR_WEB) != 0 &&
	    main_listen(c->fastcgi_listen + strlen("unix:"), a, listen_fd,
		stays, e) != 0)
		return -1;
	if (main_make_store_folder(c, a, e) != 0 || account_drop(a, e) != 0)
		return -1;
		/* Not even as the same user may web look into our environment.
		 * With a sanitizer its leak check could not either. */
#ifndef __SANITIZE_ADDRESS__
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return err_set_errno(e, ERR_CONFIG, errno, "prctl");
#endif
	if (geteuid() == 0)
		log_warning("running-as-root",
		    LOG_STR("message",
			"make an account outlook-addin, or "
			"give --user"));
	return 0;
}

static int
main_supervise(struct main_options *o)
{
	struct config config;
	struct account account = {0};
	struct err e = {0};
	int listen_fd = -1;
	bool stays = false;
	bool loaded = main_load(o, CONFIG_ROLE_WEB, false, &config) == 0;
	int rc = EXIT_USAGE;

	if (account_find(o->user, &account, &e) != 0)
		main_mistake(o, e.text, "--user");
	if (loaded && o->mistakes == 0 &&
	    main_settle(o, &config, &account, &listen_fd, &stays, &e) != 0) {
		log_error("start", LOG_ERR(&e));
		o->mistakes++;
	}
	if (main_check(o) != 0)
		o->mistakes++;
	if (loaded && o->mistakes == 0) {
		const struct supervisor_options options = {
		    .config = &config,
		    .roles = o->roles,
		    .over = &o->over,
		    .listen_fd = listen_fd,
		    .listen_stays = stays,
		    .nginx_folder = o->nginx_folder,
		};

		rc = supervisor_run(&options);
	}
	if (listen_fd >= 0) {
		listen_unlink(config.fastcgi_listen + strlen("unix:"));
		close(listen_fd);
	}
	if (loaded)
		config_clear(&config);
	return rc;
}

int
main(int argc, char **argv)
{
	struct main_options o = {0};
	enum child_role self = child_self();

	if (self == CHILD_NONE)
		main_hold_signals();
	main_open_standard_fds();
	main_set_name(self);
	log_init(main_program, child_role_name(self), LOG_LEVEL_INFO);
	/* They are given the secrets. */
	if ((self == CHILD_SYNC || self == CHILD_CHECK) &&
	    !secret_guard_process())
		log_warning("hardening-incomplete");
	main_read_options(&o, argc, argv);
	if (o.help || o.version) {
		fputs(o.help ? main_help
			     : "outlook-addin-fcgi " PACKAGE_VERSION "\n",
		    stdout);
		return o.mistakes == 0 ? EXIT_SUCCESS : EXIT_USAGE;
	}
	switch (self) {
	case CHILD_WEB:
		return main_be_web(&o);
	case CHILD_SYNC:
		return main_be_sync(&o);
	case CHILD_CHECK:
		return main_be_check(&o);
	case CHILD_INSPECT:
		return main_be_inspector(&o);
	case CHILD_NGINX:
	case CHILD_RENEW:
	case CHILD_NONE:
		break;
	}
	return main_supervise(&o);
}
