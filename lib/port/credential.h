/* port/credential.h - what we sign in with, in files that others replace while
 * we run. Source: reference/graph.md 2.1, 2.4, 2.5. */
#ifndef PORT_CREDENTIAL_H
#define PORT_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/jws_sign.h"
#include "base/secret.h"
#include "port/config.h"

enum credential_kind {
	CREDENTIAL_SECRET,
	CREDENTIAL_CERTIFICATE,
	CREDENTIAL_FEDERATED
};

enum { CREDENTIAL_FILES = 2, CREDENTIAL_NEAR_DAYS = 30 };

/* By what a replaced file is known, also behind a symbolic link. */
struct credential_stamp {
	bool exists;
	uint64_t device, inode;
	int64_t size;
	struct timespec modified, changed;
};

/* The file's stamp now. */
void credential_stamp_take(const char *path, struct credential_stamp *out);
bool credential_stamp_equals(
    const struct credential_stamp *a, const struct credential_stamp *b);

/* Paths are borrowed. What was fit stays in use when its files turn bad. */
struct credential {
	enum credential_kind kind;
	const char *name; /* of the secret, or of the key: for texts */
	const char *files[CREDENTIAL_FILES]; /* "" none: from the environment */
	struct credential_stamp stamps[CREDENTIAL_FILES];
	struct secret *text; /* the secret, or the federated token; or NULL */
	struct jws_signer *signer; /* of the certificate, or NULL */
	int64_t expires_ms; /* of a secret, as configured; 0 not known */
	char problem[ERR_TEXT_MAX]; /* of the files as they are, "" none */
	unsigned changes; /* how often other files than before were read */
};

/* For Entra and for the gateway; the secrets that c has are copied, files are
 * read now. */
void credential_init_entra(struct credential *k, const struct config *c);
void credential_init_gateway(struct credential *k, const struct config *c);
void credential_clear(struct credential *k);

/* Whether its files are others than those that were read. A stat() each. */
bool credential_has_changed(const struct credential *k);
/* Reads the files again. */
void credential_read(struct credential *k);
/* Whether it can be used now: 0, or -1 with ERR_AUTH and what to do. */
int credential_check(const struct credential *k, int64_t now_ms, struct err *e);
/* When it expires, 0: not known. */
int64_t credential_ends_ms(const struct credential *k);

/* ---- the files, one by one: also for the check of the configuration ---- */

/* The pair of clientCertificateFile and clientCertificateKeyFile, in this
 * order; *key says which of the two keys *e is about. NULL with ERR_CONFIG. */
struct jws_signer *credential_certificate(
    const char *const paths[CREDENTIAL_FILES], const char **key, struct err *e);
/* Whether it can be used at now_ms: 0, or -1 with ERR_CONFIG. */
int credential_certificate_time(
    const struct jws_signer *s, int64_t now_ms, struct err *e);
/* federatedTokenFile, trimmed; at most 16 KiB of a token's characters. */
struct secret *credential_token(const char *path, struct err *e);

#endif
