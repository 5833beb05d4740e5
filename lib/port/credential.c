/* port/credential.c - see credential.h. */
#include "port/credential.h"
#include "port/config_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/when.h"
#include "port/config_secret.h"

enum { CREDENTIAL_PEM_MAX = 1 << 20, CREDENTIAL_TOKEN_MAX = 16 << 10 };

#define CREDENTIAL_SPACE " \t\r\n"
/* base64url of the parts, and what opaque tokens have besides. */
#define CREDENTIAL_TOKEN_CHARS                                                 \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"       \
	"-_.~+/="

/* ---- files ---- */

void
credential_stamp_take(const char *path, struct credential_stamp *out)
{
	struct stat st;

	memset(out, 0, sizeof(*out));
	if (stat(path, &st) != 0)
		return;
	out->exists = true;
	out->device = st.st_dev;
	out->inode = st.st_ino;
	out->size = st.st_size;
	out->modified = st.st_mtim;
	out->changed = st.st_ctim;
}

static bool
credential_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
credential_stamp_equals(
    const struct credential_stamp *a, const struct credential_stamp *b)
{
	return a->exists == b->exists && a->device == b->device &&
	    a->inode == b->inode && a->size == b->size &&
	    credential_same_time(&a->modified, &b->modified) &&
	    credential_same_time(&a->changed, &b->changed);
}

/*
 * A key is for us alone. Read by way of a group - Kubernetes gives volumes one,
 * Debian has ssl-cert - the group has to be able to read it; of our own file
 * nobody else has to.
 */
static int
credential_key_mode(const char *path, struct err *e)
{
	struct stat st;
	mode_t too_much = S_IRWXO | S_IWGRP | S_IXGRP;

	if (stat(path, &st) != 0)
		return 0;
	if (geteuid() != 0 && st.st_uid == geteuid())
		too_much |= S_IRGRP;
	if ((st.st_mode & too_much) == 0)
		return 0;
	return err_set(e, ERR_CONFIG,
	    "%s has mode %04o: others can read or change the key, 0400 is "
	    "enough",
	    path, (unsigned)(st.st_mode & 07777));
}

struct jws_signer *
credential_certificate(
    const char *const paths[CREDENTIAL_FILES], const char **key, struct err *e)
{
	static const char *const keys[] = {
	    "clientCertificateFile", "clientCertificateKeyFile"};
	enum jws_part part = JWS_CERTIFICATE;
	struct jws_signer *s = NULL;
	char *pem[2] = {NULL, NULL};
	size_t len[2] = {0, 0};

	for (int i = 0; i < 2; i++) {
		*key = keys[i];
		if (file_read(
			paths[i], CREDENTIAL_PEM_MAX, &pem[i], &len[i], e) != 0)
			goto out;
	}
	if (credential_key_mode(paths[1], e) != 0)
		goto out;
	s = jws_signer_new(pem[0], len[0], pem[1], len[1], &part, e);
	*key = keys[part];
	if (s == NULL)
		err_wrap(e, "%s", paths[part]);
out:
	if (s == NULL && e != NULL)
		e->code = ERR_CONFIG;
	for (int i = 0; i < 2; i++) {
		secret_wipe(pem[i], len[i]);
		free(pem[i]);
	}
	return s;
}

int
credential_certificate_time(
    const struct jws_signer *s, int64_t now_ms, struct err *e)
{
	char when[WHEN_TEXT_MAX];

	if (jws_signer_ends_ms(s) <= now_ms) {
		when_format_iso(jws_signer_ends_ms(s), false, when);
		return err_set(e, ERR_CONFIG,
		    "the certificate has expired on %s: register a new one and "
		    "replace the two files",
		    when);
	}
	if (jws_signer_begins_ms(s) > now_ms) {
		when_format_iso(jws_signer_begins_ms(s), false, when);
		return err_set(e, ERR_CONFIG,
		    "the certificate is not valid before %s", when);
	}
	return 0;
}

struct secret *
credential_token(const char *path, struct err *e)
{
	struct secret *out = NULL;
	char *text = NULL;
	size_t len = 0;
	const char *at;
	size_t n;

	if (file_read(path, CREDENTIAL_TOKEN_MAX, &text, &len, e) != 0) {
		if (e != NULL)
			e->code = ERR_CONFIG;
		return NULL;
	}
	at = text + strspn(text, CREDENTIAL_SPACE);
	n = strspn(at, CREDENTIAL_TOKEN_CHARS);
	if (strspn(text, CREDENTIAL_SPACE) == len)
		err_set(e, ERR_CONFIG, "%s is empty", path);
	else if (n == 0 ||
	    (size_t)(at - text) + n + strspn(at + n, CREDENTIAL_SPACE) != len)
		err_set(e, ERR_CONFIG, "%s holds no token", path);
	else
		out = secret_new(at, n);
	secret_wipe(text, len);
	free(text);
	return out;
}

/* ---- a credential ---- */

static bool
credential_is_set(const struct credential *k)
{
	return k->kind == CREDENTIAL_CERTIFICATE ? k->signer != NULL
						 : secret_is_set(k->text);
}

static struct secret *
credential_copy(const struct secret *s)
{
	return secret_is_set(s) ? secret_new(secret_reveal(s), secret_len(s))
				: NULL;
}

static void
credential_init(struct credential *k, enum credential_kind kind,
    const char *name, const char *first, const char *second)
{
	memset(k, 0, sizeof(*k));
	k->kind = kind;
	k->name = name;
	k->files[0] = first != NULL ? first : "";
	k->files[1] = second;
}

void
credential_init_entra(struct credential *k, const struct config *c)
{
	if (c->client_certificate_file != NULL &&
	    c->client_certificate_file[0] != '\0') {
		credential_init(k, CREDENTIAL_CERTIFICATE,
		    "clientCertificateFile", c->client_certificate_file,
		    c->client_certificate_key_file);
	} else if (c->federated_token_file != NULL &&
	    c->federated_token_file[0] != '\0') {
		credential_init(k, CREDENTIAL_FEDERATED, "federatedTokenFile",
		    c->federated_token_file, "");
	} else {
		credential_init(k, CREDENTIAL_SECRET, "CLIENT_SECRET",
		    c->client_secret_file, "");
		k->text = credential_copy(c->client_secret);
		if (c->client_secret_expires != NULL &&
		    c->client_secret_expires[0] != '\0')
			(void)config_date_ms(
			    c->client_secret_expires, &k->expires_ms);
	}
	credential_read(k);
}

void
credential_init_gateway(struct credential *k, const struct config *c)
{
	credential_init(k, CREDENTIAL_SECRET,
	    "SYNCSERVER_AUTH_GATEWAY_CLIENT_SECRET", c->gateway_secret_file,
	    "");
	k->text = credential_copy(c->gateway_secret);
	credential_read(k);
}

void
credential_clear(struct credential *k)
{
	secret_free(k->text);
	jws_signer_free(k->signer);
	memset(k, 0, sizeof(*k));
}

bool
credential_has_changed(const struct credential *k)
{
	struct credential_stamp now;

	for (int i = 0; i < CREDENTIAL_FILES; i++) {
		if (k->files[i][0] == '\0')
			continue;
		credential_stamp_take(k->files[i], &now);
		if (!credential_stamp_equals(&now, &k->stamps[i]))
			return true;
	}
	return false;
}

static int
credential_read_certificate(struct credential *k, struct err *e)
{
	const char *key = k->name;
	struct jws_signer *fresh = credential_certificate(k->files, &key, e);

	if (fresh == NULL)
		return err_wrap(e, "%s", key);
	jws_signer_free(k->signer);
	k->signer = fresh;
	return 0;
}

static int
credential_read_text(struct credential *k, struct err *e)
{
	struct secret *fresh = k->kind == CREDENTIAL_FEDERATED
	    ? credential_token(k->files[0], e)
	    : config_secret_read_file(k->files[0], e);

	/* A token of the cluster lives for minutes: an old one is none. */
	if (fresh == NULL && k->kind != CREDENTIAL_FEDERATED)
		return err_wrap(e, "%s", k->name);
	secret_free(k->text);
	k->text = fresh;
	return fresh != NULL ? 0 : err_wrap(e, "%s", k->name);
}

/* Before they are read: what is written meanwhile is seen later. */
static void
credential_stamp_files(struct credential *k)
{
	struct credential_stamp now;
	bool changed = false;

	for (int i = 0; i < CREDENTIAL_FILES; i++) {
		credential_stamp_take(k->files[i], &now);
		if (!credential_stamp_equals(&now, &k->stamps[i]))
			changed = true;
		k->stamps[i] = now;
	}
	if (changed)
		k->changes++;
}

void
credential_read(struct credential *k)
{
	struct err e = {.code = ERR_NONE};
	int rc;

	if (k->files[0][0] == '\0')
		return;
	credential_stamp_files(k);
	if (k->kind == CREDENTIAL_CERTIFICATE)
		rc = credential_read_certificate(k, &e);
	else
		rc = credential_read_text(k, &e);
	snprintf(k->problem, sizeof(k->problem), "%s", rc == 0 ? "" : e.text);
}

int
credential_check(const struct credential *k, int64_t now_ms, struct err *e)
{
	if (!credential_is_set(k))
		return err_set(e, ERR_AUTH, "%s",
		    k->problem[0] != '\0' ? k->problem : "no credential");
	if (k->kind == CREDENTIAL_CERTIFICATE &&
	    credential_certificate_time(k->signer, now_ms, e) != 0) {
		if (e != NULL)
			e->code = ERR_AUTH;
		return err_wrap(e, "%s", k->name);
	}
	return 0;
}

int64_t
credential_ends_ms(const struct credential *k)
{
	if (k->kind == CREDENTIAL_CERTIFICATE && k->signer != NULL)
		return jws_signer_ends_ms(k->signer);
	return k->expires_ms;
}
