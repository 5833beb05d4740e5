/* port/store_schema.h - the tables, as numbered steps from version to version.
 */
#ifndef PORT_STORE_SCHEMA_H
#define PORT_STORE_SCHEMA_H

#include "port/store_db.h"

/* The version that this program works with. */
enum { STORE_SCHEMA_VERSION = 2 };

/* ERR_NEWER for a version above ours, else 0. */
int store_schema_admit(int64_t version, struct err *e);

/* Inside a transaction: runs the steps behind version. */
int store_schema_migrate(struct store *s, int64_t version, struct err *e);

#endif
