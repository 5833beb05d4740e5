/* port/config_secret.h - the secrets, from the environment or from files. */
#ifndef PORT_CONFIG_SECRET_H
#define PORT_CONFIG_SECRET_H

#include "port/config.h"
#include "port/config_report.h"

/*
 * Reads the secrets that the roles need: NAME, or the file that NAME_FILE
 * names, or $CREDENTIALS_DIRECTORY/NAME. One line end behind the value is
 * not part of it. Copies in the environment are overwritten and removed.
 * CLIENT_SECRET has no place beside clientCertificateFile or
 * federatedTokenFile. The path of a file is kept in *c.
 * Without CONFIG_ROLE_SYNC and CONFIG_ROLE_RENEW nothing is looked at.
 */
void
config_secrets_read(struct config *c, unsigned roles, struct config_report *r);

/* The secret in a file, as above: for a file that was replaced meanwhile. NULL
 * with ERR_CONFIG, or ERR_RETRY when it could not be read now. */
struct secret *config_secret_read_file(const char *path, struct err *e);

/* Whether an operator has written a secret's name into addin.json. */
bool config_secret_is_name(const char *key);

#endif
