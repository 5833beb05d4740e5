/* base/page.h - counters in a memory page shared by supervisor and children. */
#ifndef BASE_PAGE_H
#define BASE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * An array of 64-bit counters in a memfd. The supervisor creates it and
 * passes the descriptor on; children map it. What each index means is said in
 * port/metrics.h. Adding is atomic and never fails: no page or an index that
 * is out of range is ignored.
 */
struct page;

enum { PAGE_COUNTERS = 1024 };

struct page *page_create(int *out_fd, struct err *e); /* fd: without CLOEXEC */
struct page *page_map(int fd, struct err *e);
/* Private memory for programs without a supervisor. */
struct page *page_private(void);
void page_free(struct page *p);

void page_add(struct page *p, size_t index, int64_t n);
void page_set(struct page *p, size_t index, int64_t value);
int64_t page_get(const struct page *p, size_t index);

#endif
