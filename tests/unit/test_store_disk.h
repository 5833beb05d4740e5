/* tests/unit/test_store_disk.h - a disk below SQLite that fails on demand and
 * whose power can be cut. */
#ifndef TEST_STORE_DISK_H
#define TEST_STORE_DISK_H

/*
 * An SQLite VFS over the real one. For every file it keeps what is on the disk
 * as opposed to what the page cache shows: a page written is dirty; a good
 * sync puts the dirty pages on the disk; a failed one forgets that they were
 * dirty, as Linux does ("fsyncgate"). The n-th write, sync or truncate can be
 * made to fail. A power cut leaves the disk and, by lot, some dirty pages.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct disk_faults {
	int64_t count; /* writes, syncs and truncates so far */
	int64_t fail_at; /* the one that fails; 0: none */
	bool for_good; /* and all behind it */
	int error; /* errno: EIO or ENOSPC */
	bool fired;
};
extern struct disk_faults disk_faults;

/* Makes it the default for files opened from now on. */
void disk_install(void);
void disk_remove(void);
/* Forgets all files. */
void disk_forget(void);
/* Writes what a power cut leaves into folder, under the files' own names. */
void disk_cut(const char *folder, unsigned seed);

#endif
