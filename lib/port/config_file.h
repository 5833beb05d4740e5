/* port/config_file.h - the files that addin.json names. */
#ifndef PORT_CONFIG_FILE_H
#define PORT_CONFIG_FILE_H

#include "port/config.h"
#include "port/config_report.h"

/* Reports each of them that can not be read or is not what it has to be, of
 * those that the roles read. */
void config_file_check(
    const struct config *c, unsigned roles, struct config_report *r);

#endif
