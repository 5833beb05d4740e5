/* fcgi/confine.c - see confine.h. */
#include "config.h"

#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/jws.h"
#include "base/log.h"
#include "base/mem.h"
#include "confine_filter.h"
#include "port/store_replica.h"

/* Of later headers than those of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define CONFINE_READ                                                           \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* What a store does in its folder. */
#define CONFINE_WRITE                                                          \
	(CONFINE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                        \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |     \
	    LANDLOCK_ACCESS_FS_TRUNCATE)

/* All rights up to LANDLOCK_ACCESS_FS_MAKE_SYM, which is ABI 1. */
static const uint64_t confine_rights_1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
static const uint64_t confine_rights_2 = (1ULL << 14) - 1; /* and REFER */
static const uint64_t confine_rights_3 = (1ULL << 15) - 1; /* and TRUNCATE */

static uint64_t
confine_rights(long abi)
{
	if (abi >= 3)
		return confine_rights_3;
	return abi == 2 ? confine_rights_2 : confine_rights_1;
}

/* A path that is not there needs no rule. */
static int
confine_allow(int rules, const char *path, uint64_t rights, uint64_t handled)
{
	struct landlock_path_beneath_attr attr = {
	    .allowed_access = rights & handled,
	    .parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	long rc;

	if (attr.parent_fd < 0)
		return 0;
	rc = syscall(
	    SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	close(attr.parent_fd);
	return rc == 0 ? 0 : -1;
}

/* The folder of a file, as far as it exists: one that is made later must be
 * within reach then. Yours. */
static char *
confine_folder(const char *file)
{
	char *path = mem_strdup(file);

	for (;;) {
		char *slash = strrchr(path, '/');

		if (slash == NULL || slash == path) {
			free(path);
			return mem_strdup(slash == NULL ? "." : "/");
		}
		*slash = '\0';
		if (access(path, F_OK) == 0)
			return path;
	}
}

static int
confine_allow_folder(
    int rules, const char *file, uint64_t rights, uint64_t handled)
{
	char *folder = confine_folder(file);
	int rc = confine_allow(rules, folder, rights, handled);

	free(folder);
	return rc;
}

#ifdef ENABLE_TEST_HOOKS
/* libfaketime reads its file again and again, gcov writes at the end. */
static int
confine_allow_tests(int rules, uint64_t handled)
{
	const char *clock = getenv("FAKETIME_TIMESTAMP_FILE");
	const char *coverage = getenv("GCOV_PREFIX");

	if (clock != NULL &&
	    confine_allow_folder(rules, clock, CONFINE_READ, handled) != 0)
		return -1;
	if (coverage == NULL)
		return 0;
	return confine_allow(rules, coverage,
	    CONFINE_WRITE | LANDLOCK_ACCESS_FS_MAKE_DIR, handled);
}
#else
static int
confine_allow_tests(int rules, uint64_t handled)
{
	(void)rules;
	(void)handled;
	return 0;
}
#endif

struct confine_rules {
	int fd;
	uint64_t handled;
};

static int
confine_allow_to_read(const char *path, void *arg)
{
	const struct confine_rules *r = arg;
	struct stat st;
	uint64_t rights = LANDLOCK_ACCESS_FS_READ_FILE;

	/* Rights of a folder can not be given on a file. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		rights = CONFINE_READ;
	return confine_allow(r->fd, path, rights, r->handled);
}

static int
confine_files(const struct config *c)
{
	static const char sqlite[] = "sqlite:";
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {
	    .handled_access_fs = confine_rights(abi)};
	struct confine_rules read = {-1, attr.handled_access_fs};
	int rules, rc = -1;

	if (abi < 1)
		return -1;
	rules =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules < 0)
		return -1;
	if (strncmp(c->database, sqlite, sizeof(sqlite) - 1) == 0 &&
	    confine_allow_folder(rules, c->database + sizeof(sqlite) - 1,
		CONFINE_WRITE, attr.handled_access_fs) != 0)
		goto out;
	read.fd = rules;
	if (store_prepare(c->database, confine_allow_to_read, &read) != 0)
		goto out;
	/* SQLite asks it for its salts. */
	if (confine_allow(rules, "/dev/urandom", LANDLOCK_ACCESS_FS_READ_FILE,
		attr.handled_access_fs) != 0 ||
	    confine_allow_tests(rules, attr.handled_access_fs) != 0)
		goto out;
	rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
out:
	close(rules);
	return rc;
}

/* What libraries read at their first use is read now. */
static void
confine_warm_up(void)
{
	char hash[65];

	jws_sha256_hex("", 0, hash);
	json_object_seed(0);
}

/* Sanitizers read /proc and start programs to say what they have found. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool confine_is_possible = false;
#else
static const bool confine_is_possible = true;
#endif

void
confine_web(const struct config *c)
{
	const char *missing = NULL;

	confine_warm_up();
	if (!confine_is_possible)
		return;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		missing = "no_new_privs";
	else if (confine_files(c) != 0)
		missing = "landlock";
	if (confine_install_filter(store_database_is_shared(c->database)) != 0)
		missing = missing != NULL ? "landlock and seccomp" : "seccomp";
	if (missing != NULL)
		log_warning("not-confined", LOG_STR("missing", missing),
		    LOG_STR("message", strerror(errno)));
}
