/* base/page.c - see page.h. */
#include "base/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { PAGE_BYTES = PAGE_COUNTERS * (int)sizeof(int64_t) };

struct page {
	int64_t *counters;
};

static struct page *
page_wrap(int flags, int fd, struct err *e)
{
	struct page *p;
	void *m = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (m == MAP_FAILED) {
		err_set_errno(e, ERR_RETRY, errno, "map the counter page");
		return NULL;
	}
	p = mem_zalloc(sizeof(*p));
	p->counters = m;
	return p;
}

struct page *
page_create(int *out_fd, struct err *e)
{
	struct page *p = NULL;
	int fd = memfd_create("counters", MFD_ALLOW_SEALING);

	if (fd < 0) {
		err_set_errno(e, ERR_RETRY, errno, "make the counter page");
		return NULL;
	}
	/* Sealed: no child can shrink it under the others (SIGBUS). */
	if (ftruncate(fd, PAGE_BYTES) != 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
		0)
		err_set_errno(e, ERR_RETRY, errno, "size the counter page");
	else
		p = page_wrap(MAP_SHARED, fd, e);
	if (p == NULL) {
		close(fd);
		return NULL;
	}
	*out_fd = fd;
	return p;
}

struct page *
page_map(int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		err_set_errno(e, ERR_INPUT, errno, "counter page");
		return NULL;
	}
	if (st.st_size != PAGE_BYTES) {
		err_set(e, ERR_INPUT, "descriptor %d is no counter page", fd);
		return NULL;
	}
	return page_wrap(MAP_SHARED, fd, e);
}

struct page *
page_private(void)
{
	struct page *p = page_wrap(MAP_PRIVATE | MAP_ANONYMOUS, -1, NULL);

	if (p == NULL)
		mem_exhausted(PAGE_BYTES);
	return p;
}

void
page_free(struct page *p)
{
	if (p == NULL)
		return;
	munmap(p->counters, PAGE_BYTES);
	free(p);
}

void
page_add(struct page *p, size_t index, int64_t n)
{
	if (p != NULL && index < PAGE_COUNTERS)
		__atomic_add_fetch(&p->counters[index], n, __ATOMIC_RELAXED);
}

void
page_set(struct page *p, size_t index, int64_t value)
{
	if (p != NULL && index < PAGE_COUNTERS)
		__atomic_store_n(&p->counters[index], value, __ATOMIC_RELAXED);
}

int64_t
page_get(const struct page *p, size_t index)
{
	if (p == NULL || index >= PAGE_COUNTERS)
		return 0;
	return __atomic_load_n(&p->counters[index], __ATOMIC_RELAXED);
}
