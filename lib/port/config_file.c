/* port/config_file.c - see config_file.h. */
#include "port/config_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"

enum { FILE_MAX = 4 << 20 };

/* Nobody is there to type a password. */
static int
no_password(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static const char *
find_certificate(BIO *in)
{
	X509 *found = PEM_read_bio_X509(in, NULL, no_password, NULL);
	bool ok = found != NULL;

	X509_free(found);
	return ok ? NULL : "has no certificate in PEM form";
}

static const char *
find_key(BIO *in)
{
	EVP_PKEY *found = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	bool ok = found != NULL;

	EVP_PKEY_free(found);
	return ok ? NULL : "has no private key in PEM form without a password";
}

static const char *
find_token(BIO *in)
{
	return BIO_pending(in) > 0 ? NULL : "is empty";
}

/* find: what is wrong with the content, or NULL. */
static void
check_file(const char *file, const char *path, const char *(*find)(BIO *in),
    struct config_report *r)
{
	char quoted[CONFIG_QUOTE_MAX];
	const char *wrong = NULL;
	struct err e = {0};
	char *data = NULL;
	size_t len = 0;
	BIO *in;

	if (file[0] == '\0')
		return;
	if (file_read(file, FILE_MAX, &data, &len, &e) != 0) {
		config_problem(r, path, "%s", e.text);
		return;
	}
	in = BIO_new_mem_buf(data, (int)len);
	if (in != NULL)
		wrong = find(in);
	if (wrong != NULL)
		config_problem(
		    r, path, "%s %s", config_quote(quoted, file), wrong);
	BIO_free(in);
	ERR_clear_error();
	secret_wipe(data, len);
	free(data);
}

void
config_file_check(const struct config *c, struct config_report *r)
{
	check_file(c->ca_file, "$.caFile", find_certificate, r);
	check_file(c->client_certificate_file, "$.clientCertificateFile",
	    find_certificate, r);
	check_file(c->client_certificate_key_file, "$.clientCertificateKeyFile",
	    find_key, r);
	check_file(
	    c->federated_token_file, "$.federatedTokenFile", find_token, r);
}
