/* fcgi/confine_filter.c - see confine_filter.h. */
#include "confine_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#endif

/* Later than the headers of Debian 12 are old. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/*
 * Programs, connections, other processes, the kernel's inside, and what could
 * be used to get round the filter. A list of what is allowed would break with
 * the next release of the C library.
 */
static const int filter_refused[] = {
    SYS_execve,
    SYS_execveat,
    SYS_bind,
    SYS_listen,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_io_uring_setup,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_capset,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_by_handle_at,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_sethostname,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};

enum {
	FILTER_REFUSED = sizeof(filter_refused) / sizeof(filter_refused[0]),
	FILTER_X32_BIT = 0x40000000,
	FILTER_MAX = 2 * FILTER_REFUSED + 40
};

struct filter {
	unsigned short len;
	struct sock_filter code[FILTER_MAX];
};

static void
filter_add(struct filter *f, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	f->code[f->len++] = (struct sock_filter){code, yes, no, k};
}

static void
filter_load(struct filter *f, size_t offset)
{
	filter_add(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void
filter_return(struct filter *f, uint32_t action)
{
	filter_add(f, BPF_RET | BPF_K, 0, 0, action);
}

/* When the loaded value equals k: action. */
static void
filter_if_equal(struct filter *f, uint32_t k, uint32_t action)
{
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
	filter_return(f, action);
}

#ifdef FILTER_ARCH
static const uint32_t filter_refuse = SECCOMP_RET_ERRNO | EPERM;

/* That call only with this first argument. The loaded value is its number, and
 * stays so for any other call. */
static void
filter_only_with(struct filter *f, uint32_t call, uint32_t first)
{
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, call);
	filter_load(f, offsetof(struct seccomp_data, args));
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, first);
	filter_return(f, SECCOMP_RET_ALLOW);
	filter_return(f, filter_refuse);
}

static void
filter_build(struct filter *f, bool network)
{
	const uint32_t refuse = filter_refuse;
	const size_t first_arg = offsetof(struct seccomp_data, args);

	filter_load(f, offsetof(struct seccomp_data, arch));
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, FILTER_ARCH);
	filter_return(f, refuse);
	filter_load(f, offsetof(struct seccomp_data, nr));
	filter_add(f, BPF_JMP | BPF_JGE | BPF_K, 0, 1, FILTER_X32_BIT);
	filter_return(f, refuse);
	if (!network)
		filter_if_equal(f, SYS_connect, refuse);
	for (int i = 0; i < FILTER_REFUSED; i++)
		filter_if_equal(f, (uint32_t)filter_refused[i], refuse);
	/* raise() and abort(), but of nobody else. */
	filter_only_with(f, SYS_tgkill, (uint32_t)getpid());
	/* Its own limits: the C library asks for those of 0. */
	filter_only_with(f, SYS_prlimit64, 0);
	/* Its flags lie in memory, where a filter can not look: the C library
	 * falls back to clone. */
	filter_if_equal(f, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
	/* Threads, but no processes. */
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_clone);
	filter_load(f, first_arg);
	filter_add(f, BPF_JMP | BPF_JSET | BPF_K, 0, 1, CLONE_THREAD);
	filter_return(f, SECCOMP_RET_ALLOW);
	filter_return(f, refuse);
	/* The wake-up's datagram socket, but no network. */
	filter_add(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_socket);
	filter_return(f, SECCOMP_RET_ALLOW);
	filter_load(f, first_arg);
	filter_if_equal(f, AF_UNIX, SECCOMP_RET_ALLOW);
	if (network) {
		filter_if_equal(f, AF_INET, SECCOMP_RET_ALLOW);
		filter_if_equal(f, AF_INET6, SECCOMP_RET_ALLOW);
	}
	filter_return(f, refuse);
}

int
confine_install_filter(bool network)
{
	struct filter f = {0};
	struct sock_fprog program = {0, f.code};

	filter_build(&f, network);
	program.len = f.len;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
#else
int
confine_install_filter(bool network)
{
	(void)network;
	errno = ENOSYS;
	return -1;
}
#endif
