/* port/config_file.c - see config_file.h. */
#include "port/config_file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/when.h"
#include "port/agent_map.h"
#include "port/credential.h"

enum { FILE_MAX = 4 << 20 };

#define DAY_MS (24LL * 60 * 60 * 1000)

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

/* find: what is wrong with the content, or NULL. */
static bool
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
		return true;
	if (file_read(file, FILE_MAX, &data, &len, &e) != 0) {
		config_problem(r, path, "%s", e.text);
		return false;
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
	return wrong == NULL;
}

/* Out of its time it stops nothing but the sign-in: the programs start, say
 * so, and go on when it has been replaced. */
static void
check_time(const struct jws_signer *s, struct config_report *r)
{
	int64_t now_ms = clock_wall_ms();
	int64_t left_ms = jws_signer_ends_ms(s) - now_ms;
	char when[WHEN_TEXT_MAX];
	struct err e = {0};

	if (credential_certificate_time(s, now_ms, &e) != 0) {
		if (r->strict)
			config_problem(
			    r, "$.clientCertificateFile", "%s", e.text);
		else
			config_warning(
			    r, "$.clientCertificateFile", "%s", e.text);
	} else if (left_ms < CREDENTIAL_NEAR_DAYS * DAY_MS) {
		when_format_iso(jws_signer_ends_ms(s), false, when);
		config_warning(r, "$.clientCertificateFile",
		    "the certificate expires on %s", when);
	}
}

static void
check_certificate(const struct config *c, struct config_report *r)
{
	const char *const paths[] = {
	    c->client_certificate_file, c->client_certificate_key_file};
	bool certificate = check_file(
	    paths[0], "$.clientCertificateFile", find_certificate, r);
	bool both =
	    check_file(paths[1], "$.clientCertificateKeyFile", find_key, r) &&
	    certificate && paths[0][0] != '\0' && paths[1][0] != '\0';
	char path[CONFIG_PATH_MAX];
	struct jws_signer *signer;
	const char *key = NULL;
	struct err e = {0};

	if (!both)
		return;
	signer = credential_certificate(paths, &key, &e);
	if (signer == NULL)
		config_problem(r, config_path(path, key), "%s", e.text);
	else
		check_time(signer, r);
	jws_signer_free(signer);
}

static void
check_token(const struct config *c, struct config_report *r)
{
	struct secret *token;
	struct err e = {0};

	if (c->federated_token_file[0] == '\0')
		return;
	token = credential_token(c->federated_token_file, &e);
	if (token == NULL)
		config_problem(r, "$.federatedTokenFile", "%s", e.text);
	secret_free(token);
}

static void
check_agent_map(const struct config *c, struct config_report *r)
{
	struct agent_map *map;
	struct err e = {0};

	if (c->unblu_agent_map_file[0] == '\0')
		return;
	map = agent_map_read(c->unblu_agent_map_file, &e);
	if (map == NULL)
		config_problem(r, "$.unbluAgentMapFile", "%s", e.text);
	agent_map_free(map);
}

void
config_file_check(
    const struct config *c, unsigned roles, struct config_report *r)
{
	if ((roles & (CONFIG_ROLE_SYNC | CONFIG_ROLE_RENEW)) == 0)
		return;
	check_file(c->ca_file, "$.caFile", find_certificate, r);
	check_certificate(c, r);
	check_token(c, r);
	if ((roles & CONFIG_ROLE_SYNC) != 0)
		check_agent_map(c, r);
}
