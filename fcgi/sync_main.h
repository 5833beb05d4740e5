/* fcgi/sync_main.h - the sync process: holds the secrets, meets no request. */
#ifndef FCGI_SYNC_MAIN_H
#define FCGI_SYNC_MAIN_H

#include "base/page.h"
#include "port/config.h"

/*
 * Runs until SIGTERM or SIGINT: drains the work table of the store (opened
 * again and again while that fails), reads events, writes to Unblu. c was
 * loaded with CONFIG_ROLE_SYNC; counts in page. Exchanges in flight are
 * dropped at the end: their rows are redone after the next start. Returns the
 * exit status.
 */
int sync_main(const struct config *c, struct page *page);

#endif
