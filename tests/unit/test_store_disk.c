/* tests/unit/test_store_disk.c - see test_store_disk.h. */
#include "test_store_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISK_FILES = 16, DISK_PAGE = 4096 };

struct disk_image {
	char *path; /* NULL: a free slot */
	unsigned char *data;
	unsigned char *dirty; /* one byte per page */
	int64_t size; /* as it is on the disk */
	int64_t pages; /* room */
};

struct disk_file {
	sqlite3_file base;
	struct disk_image *image; /* NULL: a temporary file */
	sqlite3_file *real;
};

struct disk_faults disk_faults;

static struct disk_image disk_images[DISK_FILES];
static sqlite3_vfs *disk_real;
static sqlite3_vfs disk_vfs;

/* Whether this operation is the one. */
static bool
disk_fails(void)
{
	int64_t at = ++disk_faults.count;

	if (disk_faults.fail_at == 0 || at < disk_faults.fail_at ||
	    (at > disk_faults.fail_at && !disk_faults.for_good))
		return false;
	disk_faults.fired = true;
	return true;
}

static void
disk_room(struct disk_image *image, int64_t size)
{
	int64_t pages = size / DISK_PAGE + 1;

	if (pages <= image->pages)
		return;
	image->data = realloc(image->data, (size_t)pages * DISK_PAGE);
	image->dirty = realloc(image->dirty, (size_t)pages);
	memset(image->data + image->pages * DISK_PAGE, 0,
	    (size_t)(pages - image->pages) * DISK_PAGE);
	memset(image->dirty + image->pages, 0, (size_t)(pages - image->pages));
	image->pages = pages;
}

static struct disk_image *
disk_image_of(const char *path)
{
	struct disk_image *empty = NULL;

	for (int i = 0; i < DISK_FILES; i++) {
		if (disk_images[i].path == NULL)
			empty = empty == NULL ? &disk_images[i] : empty;
		else if (strcmp(disk_images[i].path, path) == 0)
			return &disk_images[i];
	}
	if (empty == NULL)
		abort();
	empty->path = strdup(path);
	return empty;
}

static void
disk_image_clear(struct disk_image *image)
{
	free(image->path);
	free(image->data);
	free(image->dirty);
	*image = (struct disk_image){0};
}

void
disk_forget(void)
{
	for (int i = 0; i < DISK_FILES; i++)
		disk_image_clear(&disk_images[i]);
}

/* ---- files ---- */

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return ((struct disk_file *)f)->real;
}

static int
disk_close(sqlite3_file *f)
{
	struct disk_file *d = (struct disk_file *)f;
	int rc = d->real->pMethods->xClose(d->real);

	free(d->real);
	d->real = NULL;
	return rc;
}

static int
disk_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), out, n, at);
}

static int
disk_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
	struct disk_image *image = ((struct disk_file *)f)->image;
	bool fails = image != NULL && disk_fails();
	/* A failed write may have got half way. */
	int amount = fails ? n / 2 : n;
	int rc = SQLITE_OK;

	if (amount > 0)
		rc = real_of(f)->pMethods->xWrite(real_of(f), data, amount, at);
	if (image != NULL && amount > 0) {
		disk_room(image, at + amount);
		for (int64_t page = at / DISK_PAGE;
		     page <= (at + amount - 1) / DISK_PAGE; page++)
			image->dirty[page] = 1;
	}
	if (!fails)
		return rc;
	return disk_faults.error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int
disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (((struct disk_file *)f)->image != NULL && disk_fails())
		return SQLITE_IOERR_TRUNCATE;
	return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

/* What the page cache shows of a page goes to the disk. */
static void
disk_flush_page(sqlite3_file *f, struct disk_image *image, int64_t page)
{
	unsigned char *to = image->data + page * DISK_PAGE;

	memset(to, 0, DISK_PAGE);
	/* A short read at the end fills up with zeroes. */
	(void)real_of(f)->pMethods->xRead(
	    real_of(f), to, DISK_PAGE, page * DISK_PAGE);
}

static int
disk_sync(sqlite3_file *f, int flags)
{
	struct disk_image *image = ((struct disk_file *)f)->image;
	bool fails;
	sqlite3_int64 size = 0;

	(void)flags;
	if (image == NULL)
		return SQLITE_OK;
	fails = disk_fails();
	real_of(f)->pMethods->xFileSize(real_of(f), &size);
	disk_room(image, size);
	for (int64_t page = 0; page < image->pages; page++) {
		if (image->dirty[page] && !fails)
			disk_flush_page(f, image, page);
		image->dirty[page] = 0;
	}
	if (fails)
		return SQLITE_IOERR_FSYNC;
	image->size = size;
	return SQLITE_OK;
}

static int
disk_size(sqlite3_file *f, sqlite3_int64 *out)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), out);
}

static int
disk_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int
disk_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int
disk_reserved(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int
disk_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int
disk_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int
disk_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int
disk_shm_map(
    sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(
	    real_of(f), region, size, extend, out);
}

static int
disk_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void
disk_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int
disk_shm_unmap(sqlite3_file *f, int delete_it)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), delete_it);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* ---- the file system ---- */

static int
disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags,
    int *out_flags)
{
	struct disk_file *d = (struct disk_file *)f;
	int rc;

	(void)vfs;
	*d = (struct disk_file){0};
	d->real = calloc(1, (size_t)disk_real->szOsFile);
	rc = disk_real->xOpen(disk_real, path, d->real, flags, out_flags);
	if (rc != SQLITE_OK) {
		free(d->real);
		d->real = NULL;
		return rc;
	}
	d->image = path != NULL ? disk_image_of(path) : NULL;
	d->base.pMethods = &disk_methods;
	return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	(void)vfs;
	disk_image_clear(disk_image_of(path));
	return disk_real->xDelete(disk_real, path, sync_folder);
}

static int
disk_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	if (size > 0)
		out[0] = '\0';
	return disk_faults.error;
}

void
disk_install(void)
{
	disk_real = sqlite3_vfs_find(NULL);
	disk_vfs = *disk_real;
	disk_vfs.zName = "test-disk";
	disk_vfs.szOsFile = sizeof(struct disk_file);
	disk_vfs.xOpen = disk_open;
	disk_vfs.xDelete = disk_delete;
	disk_vfs.xGetLastError = disk_last_error;
	disk_vfs.pNext = NULL;
	disk_faults = (struct disk_faults){.error = EIO};
	sqlite3_vfs_register(&disk_vfs, 1);
}

void
disk_remove(void)
{
	sqlite3_vfs_register(disk_real, 1);
	sqlite3_vfs_unregister(&disk_vfs);
	disk_forget();
}

/* Some dirty pages have made it on their own. */
static void
disk_leak(struct disk_image *image, FILE *cache, FILE *out, unsigned *seed)
{
	unsigned char page[DISK_PAGE];

	for (int64_t i = 0; i < image->pages; i++) {
		size_t n;

		if (!image->dirty[i] || rand_r(seed) % 2 == 0 ||
		    fseek(cache, i * DISK_PAGE, SEEK_SET) != 0)
			continue;
		n = fread(page, 1, sizeof(page), cache);
		if (n > 0 && fseek(out, i * DISK_PAGE, SEEK_SET) == 0)
			fwrite(page, 1, n, out);
	}
}

void
disk_cut(const char *folder, unsigned seed)
{
	for (int i = 0; i < DISK_FILES; i++) {
		struct disk_image *image = &disk_images[i];
		char path[512];
		FILE *out, *cache;

		if (image->path == NULL)
			continue;
		snprintf(path, sizeof(path), "%s%s", folder,
		    strrchr(image->path, '/'));
		out = fopen(path, "w+");
		cache = fopen(image->path, "r");
		if (out == NULL)
			abort();
		if (image->size > 0)
			fwrite(image->data, 1, (size_t)image->size, out);
		if (cache != NULL) {
			disk_leak(image, cache, out, &seed);
			fclose(cache);
		}
		fclose(out);
	}
}
