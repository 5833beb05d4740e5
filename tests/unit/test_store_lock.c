/* The lock files beside an SQLite store: whose they are, that nobody is led
 * astray by a link, and that those who wait get their turn; and where their
 * locks would mean nothing. */
#include "test_store_sqlite.h"

#include <grp.h>
#include <sys/vfs.h>

#include "base/file.h"

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

/* A file of someone else's that nothing may touch. */
static char *
victim(struct test_store *t, char out[256])
{
	int fd;

	snprintf(out, 256, "%s/victim", t->folder);
	fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "!ootshadow", 10), 10);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	return out;
}

static void
assert_untouched(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	struct err e = {0};

	assert_int_equal(file_read(path, 64, &text, &len, &e), 0);
	assert_string_equal(text, "!ootshadow");
	assert_int_equal(mode_of(path), 0644);
	free(text);
}

static void
a_lock_file_beside_the_store_is_private(void **state)
{
	struct test_store *t = *state;
	char path[256];
	int fd = store_lock_file_open(t->url, ".renew.lock", &t->e);

	assert_true(fd >= 0);
	assert_int_equal(mode_of(path_of(t, ".renew.lock", path)), 0600);
	assert_int_equal(file_lock(fd, 0, &t->e), 0);
	close(fd);
	assert_int_equal(store_lock_file_open("oracle:x", ".x", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	assert_int_equal(
	    store_lock_file_open("sqlite:/no/where/x", ".x", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
}

static void
a_lock_file_is_never_opened_through_a_link(void **state)
{
	struct test_store *t = *state;
	char target[256], path[256];

	assert_int_equal(
	    symlink(victim(t, target), path_of(t, ".renew.lock", path)), 0);
	assert_int_equal(
	    store_lock_file_open(t->url, ".renew.lock", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
	assert_untouched(target);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    store_lock_file_open(t->url, ".renew.lock", &t->e), -1);
	assert_int_equal(t->e.code, ERR_CONFIG);
}

/* Made new, and left behind by an older version of root's program. */
static int
lock_as_root_and_owner(struct test_store *t)
{
	char path[256];
	struct err e = {0};
	int fd;

	if (geteuid() != 0 || chown(t->folder, 65534, 65534) != 0)
		return CHILD_SKIP;
	path_of(t, ".old.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd) != 0 ||
	    store_lock_file_open(t->url, ".renew.lock", &e) < 0 ||
	    store_lock_file_open(t->url, ".old.lock", &e) < 0)
		return CHILD_FAILED;
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return CHILD_SKIP;
	fd = store_lock_file_open(t->url, ".renew.lock", &e);
	if (fd < 0 || file_lock(fd, -1, &e) != 0 ||
	    store_lock_file_open(t->url, ".old.lock", &e) < 0)
		return CHILD_FAILED;
	return CHILD_OK;
}

static void
a_lock_file_of_root_locks_nobody_out(void **state)
{
	struct test_store *t = *state;
	int rc = in_child(lock_as_root_and_owner, t);

	if (rc == CHILD_SKIP)
		skip();
	assert_int_equal(rc, CHILD_OK);
}

static void
no_link_leads_to_someone_elses_file(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	struct test_store *t = *state;
	char target[256], path[256];

	close_store(t);
	victim(t, target);
	for (int i = 0; i < 4; i++) {
		path_of(t, suffixes[i], path);
		unlink(path);
		assert_int_equal(symlink(target, path), 0);
		store_close(store_open(t->url, STORE_CREATE, 0, T0, &t->e));
		assert_untouched(target);
		assert_int_equal(unlink(path), 0);
		store_close(open_again(t, STORE_CREATE));
	}
}

static void
a_link_to_the_database_is_refused(void **state)
{
	struct test_store *t = *state;
	char link[128], path[256];
	struct stat st;

	close_store(t);
	snprintf(link, sizeof(link), "%s/link.db", t->folder);
	assert_int_equal(symlink(path_of(t, "", path), link), 0);
	snprintf(t->url, sizeof(t->url), "sqlite:%s", link);
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	assert_non_null(strstr(t->e.text, "symbolic link"));
	snprintf(path, sizeof(path), "%s.lock", link);
	assert_int_equal(lstat(path, &st), -1);
}

static void
a_replaced_store_is_locked_by_its_own_lock_file(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	struct test_store *t = *state;
	struct store *old = store_open(t->url, STORE_CREATE, 50, T0, &t->e);
	struct store *fresh;
	char path[256];
	int fd;

	assert_non_null(old);
	close_store(t);
	for (int i = 0; i < 4; i++)
		unlink(path_of(t, suffixes[i], path));
	fresh = open_again(t, STORE_CREATE);
	assert_ok(t, store_begin(fresh, &t->e));
	assert_int_equal(store_begin(old, &t->e), -1);
	assert_non_null(strstr(t->e.text, "held by another process"));
	store_rollback(fresh);
	assert_ok(t, store_begin(old, &t->e));
	fd = file_lock_open(path_of(t, ".lock", path), &t->e);
	assert_int_equal(file_lock(fd, 0, &t->e), -1);
	assert_ok(t, store_commit(old, &t->e));
	assert_int_equal(file_lock(fd, 0, &t->e), 0);
	close(fd);
	store_close(old);
	store_close(fresh);
}

/* As SQLite leaves the -shm file while one process reads the WAL anew: mapped,
 * in use, without a header, and locked. */
static void
recover(const char *shm, int ready, unsigned ms)
{
	enum { WRITE_BYTE = 120, RECOVER_BYTE = 122, IN_USE_BYTE = 128 };
	static const struct flock locks[] = {
	    {.l_type = F_RDLCK, .l_start = IN_USE_BYTE, .l_len = 1},
	    {.l_type = F_WRLCK, .l_start = WRITE_BYTE, .l_len = 1},
	    {.l_type = F_WRLCK, .l_start = RECOVER_BYTE, .l_len = 1},
	};
	int fd = open(shm, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, 0) != 0 || ftruncate(fd, 32 * 1024) != 0)
		_exit(CHILD_FAILED);
	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
		if (fcntl(fd, F_SETLK, &locks[i]) != 0)
			_exit(CHILD_FAILED);
	if (write(ready, "", 1) != 1)
		_exit(CHILD_FAILED);
	usleep(ms * 1000);
	_exit(CHILD_OK);
}

static pid_t
recover_elsewhere(const char *shm, unsigned ms)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0)
		recover(shm, ready[1], ms);
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void
who_opens_waits_for_one_that_reads_a_long_wal_anew(void **state)
{
	enum { RECOVERY_MS = 600 };
	struct test_store *t = *state;
	char shm[256];
	pid_t pid;
	int status;

	close_store(t);
	pid = recover_elsewhere(path_of(t, "-shm", shm), RECOVERY_MS);
	assert_open_fails(t, STORE_CREATE, ERR_RETRY);
	store_close(open_again(t, STORE_CREATE));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
the_wal_stays_bounded_while_nobody_checkpoints(void **state)
{
	enum { MEGABYTE = 1024 * 1024, WAL_MAX = 70 * MEGABYTE };
	struct test_store *t = *state;
	struct store *writer;
	char *text = calloc(1, MEGABYTE + 1);
	char path[256];
	struct stat st;

	close_store(t);
	writer = open_again(t, 0);
	memset(text, 'x', MEGABYTE);
	path_of(t, "-wal", path);
	for (int i = 0; i < 90; i++) {
		assert_ok(t, store_keys_save(writer, text, T0, &t->e));
		assert_int_equal(stat(path, &st), 0);
		assert_true(st.st_size < WAL_MAX);
	}
	free(text);
	store_close(writer);
}

/* ---- network file systems ---- */

static uint32_t statfs_magic; /* 0: what the kernel says */

int __real_statfs(const char *path, struct statfs *out);
int __wrap_statfs(const char *path, struct statfs *out);

int
__wrap_statfs(const char *path, struct statfs *out)
{
	int rc = __real_statfs(path, out);

	/* As the kernel says it: sign-extended by some. */
	if (rc == 0 && statfs_magic != 0)
		out->f_type = (__typeof__(out->f_type))(int32_t)statfs_magic;
	return rc;
}

static void
a_store_on_a_network_file_system_is_refused_and_told_so(void **state)
{
	static const struct {
		const char *name;
		uint32_t magic;
		bool refused;
	} cases[] = {
	    {"NFS", 0x6969, true},
	    {"SMB", 0x517B, true},
	    {"CIFS", 0xFF534D42, true},
	    {"SMB2", 0xFE534D42, true},
	    {"AFS of the kernel", 0x6B414653, true},
	    {"AFS", 0x5346414F, true},
	    {"Coda", 0x73757245, true},
	    {"Ceph", 0x00C36400, true},
	    {"Lustre", 0x0BD00BD0, true},
	    {"GPFS", 0x47504653, true},
	    {"OCFS2", 0x7461636F, true},
	    {"GFS2", 0x01161970, true},
	    {"BeeGFS", 0x19830326, true},
	    {"OrangeFS", 0x20030528, true},
	    {"9p", 0x01021997, true},
	    {"ext4", 0xEF53, false},
	    {"XFS", 0x58465342, false},
	    {"Btrfs", 0x9123683E, false},
	    {"ZFS", 0x2FC12FC1, false},
	    {"tmpfs", 0x01021994, false},
	    {"overlay", 0x794C7630, false},
	    {"FUSE, wherever it stores", 0x65735546, false},
	};
	struct test_store *t = *state;
	char path[256];

	close_store(t);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		statfs_magic = cases[i].magic;
		if (file_is_on_network(t->folder) != cases[i].refused)
			fail_msg("%s", cases[i].name);
		if (!cases[i].refused) {
			store_close(open_again(t, 0));
			continue;
		}
		assert_open_fails(t, 0, ERR_CONFIG);
		assert_non_null(
		    strstr(t->e.text, "/state.db is on a network file system"));
	}
	/* Nor is one made there. */
	statfs_magic = cases[0].magic;
	assert_int_equal(unlink(path_of(t, "", path)), 0);
	assert_open_fails(t, STORE_CREATE, ERR_CONFIG);
	assert_int_equal(access(path, F_OK), -1);
	statfs_magic = 0;
}

int
main(void)
{
	const struct CMUnitTest cases[] = {
	    cmocka_unit_test(a_lock_file_beside_the_store_is_private),
	    cmocka_unit_test(a_lock_file_is_never_opened_through_a_link),
	    cmocka_unit_test(a_lock_file_of_root_locks_nobody_out),
	    cmocka_unit_test(no_link_leads_to_someone_elses_file),
	    cmocka_unit_test(a_link_to_the_database_is_refused),
	    cmocka_unit_test(
		who_opens_waits_for_one_that_reads_a_long_wal_anew),
	    cmocka_unit_test(the_wal_stays_bounded_while_nobody_checkpoints),
	    cmocka_unit_test(a_replaced_store_is_locked_by_its_own_lock_file),
	    cmocka_unit_test(
		a_store_on_a_network_file_system_is_refused_and_told_so),
	};

	return TEST_SQLITE_RUN("store: lock files", cases);
}
