/* port/config_value.h - one JSON value of addin.json into struct config. */
#ifndef PORT_CONFIG_VALUE_H
#define PORT_CONFIG_VALUE_H

#include <jansson.h>
#include <stdbool.h>

#include "port/config_option.h"
#include "port/config_report.h"

/*
 * Checks v and puts it into the option's field of c (which is empty). Mistakes
 * go to r under path; the field then stays empty. False on a mistake.
 */
bool config_value_read(const struct config_option *o, const json_t *v,
    const char *path, struct config *c, struct config_report *r);

/* Puts the table's default into the field; "{clientId}" becomes c->client_id.
 * A key without one gets "", 0 or an empty list. */
void config_value_default(const struct config_option *o, struct config *c);

/* Frees what the field holds and makes it empty. */
void config_value_clear(const struct config_option *o, struct config *c);

#endif
