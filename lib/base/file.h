/* base/file.h - whole files in and out, durably; lock files. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Reads a regular file of at most limit bytes. *out is NUL-terminated and
 * yours (free()). ERR_CONFIG when it does not exist or may not be read,
 * ERR_INPUT when it is larger, ERR_RETRY for an I/O error.
 */
int file_read(
    const char *path, size_t limit, char **out, size_t *out_len, struct err *e);

/* Writes aside with mode, fsyncs, renames over path, fsyncs the folder. */
int file_write_atomic(
    const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* mkdir -p with mode for the folders it makes. */
int file_make_folders(const char *path, mode_t mode, struct err *e);

/* Opens (creates, 0600, O_CLOEXEC) a lock file; what is no regular file, a
 * symbolic link for one, is refused. -1 and *e on failure. */
int file_lock_open(const char *path, struct err *e);
/* Takes the exclusive flock; wait_ms < 0 waits for ever (in the kernel), 0
 * tries once, else polls. Fair to those who wait: a holder who comes back at
 * once lets one of them pass first. ERR_RETRY when it is still held. */
int file_lock(int fd, int wait_ms, struct err *e);
void file_unlock(int fd);

/* Whether path, or its folder when it does not exist yet, lies on a network
 * file system (statfs magic). FUSE counts as local. */
bool file_is_on_network(const char *path);

#endif
