/* tests/unit/test_file.c - base/file.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

static char folder[] = "/tmp/test_file.XXXXXX";

static const char *
in_folder(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *out = path[turn++ % 4];

	snprintf(out, sizeof(path[0]), "%s/%s", folder, name);
	return out;
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
what_was_written_is_read_back_with_its_mode(void **state)
{
	const char *path = in_folder("a");
	mode_t mask = umask(077);
	struct err e = {0};
	char *data;
	size_t len;

	(void)state;
	assert_int_equal(file_write_atomic(path, "x\0y", 3, 0644, &e), 0);
	umask(mask);
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(file_read(path, 3, &data, &len, &e), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "x\0y\0", 4);
	free(data);
	/* Over the old one, and empty. */
	assert_int_equal(file_write_atomic(path, "", 0, 0600, &e), 0);
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(file_read(path, 0, &data, &len, &e), 0);
	assert_int_equal(len, 0);
	assert_string_equal(data, "");
	free(data);
}

static void
reading_tells_what_is_wrong(void **state)
{
	struct err e = {0};
	char *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(
	    file_read(in_folder("absent"), 10, &data, &len, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_non_null(strstr(e.text, "absent"));
	assert_int_equal(file_read(folder, 10, &data, &len, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	assert_int_equal(file_read(in_folder("fifo"), 10, &data, &len, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(
	    file_write_atomic(in_folder("big"), "0123", 4, 0600, &e), 0);
	assert_int_equal(file_read(in_folder("big"), 3, &data, &len, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_null(data);
}

static void
a_file_whose_size_is_not_told_is_read_whole(void **state)
{
	struct err e = {0};
	char *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(
	    file_read("/proc/self/status", 1 << 20, &data, &len, &e), 0);
	assert_true(len > 100);
	assert_int_equal(strlen(data), len);
	free(data);
	assert_int_equal(
	    file_read("/proc/self/status", 100, &data, &len, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
}

static int
files_in_folder(void)
{
	char command[128];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

static void
a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
	const char *path = in_folder("kept");
	struct rlimit old;
	struct rlimit tiny;
	struct err e = {0};
	char big[5000] = "";
	char *data;
	size_t len;
	int before;

	(void)state;
	assert_int_equal(file_write_atomic(path, "old", 3, 0600, &e), 0);
	before = files_in_folder();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	tiny = old;
	tiny.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &tiny);
	assert_int_equal(
	    file_write_atomic(path, big, sizeof(big), 0600, &e), -1);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(e.code, ERR_FULL);
	assert_int_equal(files_in_folder(), before);
	assert_int_equal(file_read(path, 10, &data, &len, &e), 0);
	assert_string_equal(data, "old");
	free(data);

	assert_int_equal(
	    file_write_atomic(in_folder("no/such"), "x", 1, 0600, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	/* A folder can not be replaced by a file. */
	assert_int_equal(mkdir(in_folder("dir"), 0700), 0);
	before = files_in_folder();
	assert_int_equal(
	    file_write_atomic(in_folder("dir"), "x", 1, 0600, &e), -1);
	assert_int_equal(files_in_folder(), before);
}

static void
a_full_disk_is_told_as_such(void **state)
{
	struct err e = {0};

	(void)state;
	/* Writing there always gives ENOSPC; the folder takes no new file. */
	assert_int_equal(
	    file_write_atomic("/proc/self/x", "x", 1, 0600, &e), -1);
	assert_true(e.code == ERR_CONFIG);
}

static void
folders_are_made_with_their_parents(void **state)
{
	mode_t mask = umask(077);
	struct err e = {0};

	(void)state;
	assert_int_equal(file_make_folders(in_folder("p//q/r/"), 0750, &e), 0);
	umask(mask);
	assert_int_equal(mode_of(in_folder("p")), 0750);
	assert_int_equal(mode_of(in_folder("p/q/r")), 0750);
	assert_int_equal(file_make_folders(in_folder("p/q/r"), 0700, &e), 0);
	assert_int_equal(mode_of(in_folder("p/q/r")), 0750);
	assert_int_equal(
	    file_write_atomic(in_folder("p/file"), "", 0, 0600, &e), 0);
	assert_int_equal(
	    file_make_folders(in_folder("p/file/x"), 0700, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(file_make_folders(in_folder("p/file"), 0700, &e), -1);
	assert_int_equal(file_make_folders("/", 0700, &e), 0);
	assert_int_equal(file_make_folders("/proc/x", 0700, &e), -1);
}

/* A child that holds the lock until it is killed. */
static pid_t
hold_lock(const char *path)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int fd = file_lock_open(path, NULL);

		if (fd < 0 || file_lock(fd, 0, NULL) != 0)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
a_lock_is_exclusive_and_freed_by_death(void **state)
{
	const char *path = in_folder("lock");
	pid_t pid = hold_lock(path);
	struct err e = {0};
	int fd = file_lock_open(path, &e);
	int64_t start_ms = clock_mono_ms();

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(mode_of(path), 0600);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(file_lock(fd, 0, &e), -1);
	assert_int_equal(e.code, ERR_RETRY);
	assert_int_equal(file_lock(fd, 50, &e), -1);
	assert_true(clock_mono_ms() - start_ms >= 50);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(file_lock(fd, 0, &e), 0);
	file_unlock(fd);
	pid = hold_lock(path);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static void
do_nothing(int signo)
{
	(void)signo;
}

static void
waiting_for_ever_survives_signals(void **state)
{
	const char *path = in_folder("lock2");
	pid_t pid = hold_lock(path);
	pid_t killer;
	struct err e = {0};
	struct sigaction action = {.sa_handler = do_nothing};
	int fd = file_lock_open(path, &e);

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	killer = fork();
	if (killer == 0) {
		for (int i = 0; i < 20; i++) {
			clock_pause_ms(2);
			kill(getppid(), SIGUSR1);
		}
		kill(pid, SIGKILL);
		_exit(0);
	}
	assert_int_equal(file_lock(fd, -1, &e), 0);
	waitpid(killer, NULL, 0);
	waitpid(pid, NULL, 0);
	close(fd);
}

/* Takes the lock again as soon as it has freed it. */
static pid_t
hog_lock(const char *path)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = file_lock_open(path, NULL);

		/* a case that fails leaves nobody behind */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (fd >= 0 && file_lock(fd, -1, NULL) == 0) {
			clock_pause_ms(3);
			file_unlock(fd);
		}
		_exit(1);
	}
	return pid;
}

static void
who_waits_for_a_busy_lock_gets_a_turn(void **state)
{
	enum { TURNS = 30 };
	const char *path = in_folder("lock3");
	struct err e = {0};
	int fd = file_lock_open(path, &e);
	pid_t pid = hog_lock(path);
	int64_t start_ms;

	(void)state;
	while (file_lock(fd, 0, NULL) == 0)
		file_unlock(fd);
	start_ms = clock_mono_ms();
	for (int i = 0; i < TURNS; i++) {
		assert_int_equal(file_lock(fd, 2000, &e), 0);
		file_unlock(fd);
	}
	/* One foreign turn each, with much room for a busy machine. */
	assert_true(clock_mono_ms() - start_ms < TURNS * 200);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static void
a_lock_file_that_can_not_be_opened_is_an_error(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(file_lock_open(in_folder("no/lock"), &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(file_lock(-1, 0, &e), -1);
	assert_int_equal(e.code, ERR_RETRY);
	assert_int_equal(symlink("lock", in_folder("link")), 0);
	assert_int_equal(file_lock_open(in_folder("link"), &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_int_equal(file_lock_open(in_folder(""), &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
}

static void
local_folders_are_not_on_the_network(void **state)
{
	(void)state;
	assert_false(file_is_on_network("/proc"));
	assert_false(file_is_on_network("/proc/absent"));
	assert_false(file_is_on_network("/absent/absent"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_read_back_with_its_mode),
	    cmocka_unit_test(reading_tells_what_is_wrong),
	    cmocka_unit_test(a_file_whose_size_is_not_told_is_read_whole),
	    cmocka_unit_test(
		a_failed_write_leaves_the_old_file_and_nothing_else),
	    cmocka_unit_test(a_full_disk_is_told_as_such),
	    cmocka_unit_test(folders_are_made_with_their_parents),
	    cmocka_unit_test(a_lock_is_exclusive_and_freed_by_death),
	    cmocka_unit_test(waiting_for_ever_survives_signals),
	    cmocka_unit_test(who_waits_for_a_busy_lock_gets_a_turn),
	    cmocka_unit_test(a_lock_file_that_can_not_be_opened_is_an_error),
	    cmocka_unit_test(local_folders_are_not_on_the_network),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
