/* port/agent_map.h - what Unblu calls an agent: unbluAgentMapFile. */
#ifndef PORT_AGENT_MAP_H
#define PORT_AGENT_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { AGENT_NAME_MAX = 256 }; /* with NUL */

struct agent_map;

/*
 * A JSON object of at most 4 MiB: object id, user principal name or email
 * address (ASCII letters in either case) to the name in Unblu. NULL with
 * ERR_CONFIG: not readable, no such object, a name that no header can carry, or
 * two members that differ in case alone.
 */
struct agent_map *agent_map_read(const char *path, struct err *e);
void agent_map_free(struct agent_map *m); /* NULL is allowed */
size_t agent_map_count(const struct agent_map *m);
/* The name, borrowed; NULL when there is none, or no map. */
const char *agent_map_find(const struct agent_map *m, const char *key);

/* Whether it can stand in a header: 1..255 printable ASCII characters, no blank
 * at either end. */
bool agent_name_is_fit(const char *name);

#endif
