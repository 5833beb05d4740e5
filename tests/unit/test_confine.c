/* tests/unit/test_confine.c - what web can not do any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "fcgi/confine.h"

static char folder[64];
static char database[96];

static int
make_folder(void **state)
{
	(void)state;
	log_init("test", NULL, LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/test_confine.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(database, sizeof(database), "sqlite:%s/state.db", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* Each tries one thing and returns 0 or errno. */
static int
opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
reads_a_file_of_the_system(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static int
reads_its_own_binary(void)
{
	return opens("/proc/self/exe", O_RDONLY);
}

static int
writes_beside_the_store(void)
{
	char path[96];
	int rc;

	snprintf(path, sizeof(path), "%s.other", folder);
	rc = opens(path, O_RDWR | O_CREAT);
	if (rc == 0)
		unlink(path);
	return rc;
}

static int
keeps_a_file_in_its_folder(void)
{
	char path[96];
	int rc;

	snprintf(path, sizeof(path), "%s/state.db", folder);
	rc = opens(path, O_RDWR | O_CREAT);
	if (rc == 0)
		rc = opens(folder, O_RDONLY | O_DIRECTORY);
	if (rc == 0 && truncate(path, 0) != 0)
		rc = errno;
	if (rc == 0 && unlink(path) != 0)
		rc = errno;
	return rc;
}

static int
makes_a_socket(int domain)
{
	int fd = socket(domain, SOCK_DGRAM, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
makes_a_network_socket(void)
{
	return makes_a_socket(AF_INET);
}

/* Nobody listens there. */
static int
connects_over_the_network(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(9),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int rc =
	    fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0
	    ? errno
	    : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

#ifdef HAVE_POSTGRESQL
static int
listens_on_the_network(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int rc = listen(fd, 1) != 0 ? errno : 0;

	close(fd);
	return rc;
}

static int
makes_a_netlink_socket(void)
{
	return makes_a_socket(AF_NETLINK);
}
#endif

static int
finds_names(void)
{
	return opens("/etc/hosts", O_RDONLY);
}

static int
makes_a_local_socket(void)
{
	return makes_a_socket(AF_UNIX);
}

static int
starts_a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
becomes_a_program(void)
{
	char *argv[] = {folder, NULL};

	execve("/bin/true", argv, argv);
	return errno;
}

static int
kills_its_parent(void)
{
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int
signals_a_thread_of_its_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0 ? 0 : errno;
}

static int
queues_a_signal_for_its_parent(void)
{
	siginfo_t info = {.si_code = SI_QUEUE};

	return syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info) == 0 ? 0
								      : errno;
}

static int
queues_a_signal_for_a_thread_of_its_parent(void)
{
	siginfo_t info = {.si_code = SI_QUEUE};

	return syscall(SYS_rt_tgsigqueueinfo, getppid(), getppid(), 0, &info) ==
		0
	    ? 0
	    : errno;
}

static int
reads_a_limit_of(pid_t pid)
{
	struct rlimit limit;

	return syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, NULL, &limit) == 0
	    ? 0
	    : errno;
}

static int
reads_a_limit_of_its_parent(void)
{
	return reads_a_limit_of(getppid());
}

static int
reads_a_limit_of_its_own(void)
{
	return reads_a_limit_of(0);
}

static int
signals_itself(void)
{
	signal(SIGUSR1, SIG_IGN);
	return raise(SIGUSR1) == 0 ? 0 : errno;
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
starts_a_thread(void)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, nothing, NULL);

	return rc != 0 ? rc : pthread_join(thread, NULL);
}

static int
takes_memory_for_a_body(void)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	if (fd < 0)
		return errno;
	return write(fd, "x", 1) == 1 ? 0 : errno;
}

/* What `act` gives in a process that has been confined. */
static int
confined(int (*act)(void))
{
	struct config c = {.database = database};
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		confine_web(&c);
		_exit(act());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
needs_a_kernel_that_can(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip();
#else
	if (confined(becomes_a_program) != EPERM ||
	    confined(reads_a_file_of_the_system) == 0)
		skip();
#endif
}

static void
only_the_stores_folder_is_within_reach(void **state)
{
	(void)state;
	needs_a_kernel_that_can();
	assert_int_equal(confined(reads_a_file_of_the_system), EACCES);
	assert_int_equal(confined(reads_its_own_binary), EACCES);
	assert_int_equal(confined(writes_beside_the_store), EACCES);
	assert_int_equal(confined(keeps_a_file_in_its_folder), 0);
}

static void
no_network_no_process_no_program_no_signal(void **state)
{
	(void)state;
	needs_a_kernel_that_can();
	assert_int_equal(confined(makes_a_network_socket), EPERM);
	assert_int_equal(confined(connects_over_the_network), EPERM);
	assert_int_equal(confined(finds_names), EACCES);
	assert_int_equal(confined(starts_a_process), EPERM);
	assert_int_equal(confined(becomes_a_program), EPERM);
	assert_int_equal(confined(kills_its_parent), EPERM);
	assert_int_equal(confined(signals_a_thread_of_its_parent), EPERM);
	assert_int_equal(confined(queues_a_signal_for_its_parent), EPERM);
	assert_int_equal(
	    confined(queues_a_signal_for_a_thread_of_its_parent), EPERM);
	assert_int_equal(confined(reads_a_limit_of_its_parent), EPERM);
}

#ifdef HAVE_POSTGRESQL
static void
with_postgresql_it_may_connect_and_no_more(void **state)
{
	char sqlite[sizeof(database)];

	(void)state;
	needs_a_kernel_that_can();
	memcpy(sqlite, database, sizeof(sqlite));
	snprintf(database, sizeof(database), "postgresql://me@db.example/x");
	assert_int_equal(confined(connects_over_the_network), ECONNREFUSED);
	assert_int_equal(confined(finds_names), 0);
	assert_int_equal(confined(listens_on_the_network), EPERM);
	assert_int_equal(confined(makes_a_netlink_socket), EPERM);
	assert_int_equal(confined(reads_a_file_of_the_system), EACCES);
	assert_int_equal(confined(keeps_a_file_in_its_folder), EACCES);
	assert_int_equal(confined(starts_a_process), EPERM);
	assert_int_equal(confined(becomes_a_program), EPERM);
	memcpy(database, sqlite, sizeof(sqlite));
}
#endif

static void
what_it_needs_still_works(void **state)
{
	(void)state;
	assert_int_equal(confined(makes_a_local_socket), 0);
	assert_int_equal(confined(starts_a_thread), 0);
	assert_int_equal(confined(signals_itself), 0);
	assert_int_equal(confined(reads_a_limit_of_its_own), 0);
	assert_int_equal(confined(takes_memory_for_a_body), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_the_stores_folder_is_within_reach),
	    cmocka_unit_test(no_network_no_process_no_program_no_signal),
#ifdef HAVE_POSTGRESQL
	    cmocka_unit_test(with_postgresql_it_may_connect_and_no_more),
#endif
	    cmocka_unit_test(what_it_needs_still_works),
	};

	return cmocka_run_group_tests_name(
	    "confine", tests, make_folder, remove_folder);
}
