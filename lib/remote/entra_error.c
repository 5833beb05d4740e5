/* remote/entra_error.c - what Entra's refusals mean, in one table. */
#include "remote/entra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum entra_kind {
	ENTRA_PASSES, /* by itself: back off */
	ENTRA_THROTTLED,
	ENTRA_CREDENTIAL, /* the secret, the certificate, the token */
	ENTRA_CONSENT, /* the tenant's administrator has to act */
	ENTRA_SETTINGS /* addin.json, or the app registration */
};

enum { ENTRA_CODE_MAX = 99999999 };

struct entra_rule {
	int code;
	enum entra_kind kind;
	const char *what; /* and what to do */
};

/* reference/graph.md 2.3. The codes may change without notice. */
static const struct entra_rule entra_rules[] = {
    {7000215, ENTRA_CREDENTIAL,
	"wrong client secret: often the secret's id was pasted instead of its "
	"value"},
    {7000222, ENTRA_CREDENTIAL,
	"the client secret has expired: make a new one in the app "
	"registration"},
    {7000218, ENTRA_SETTINGS,
	"neither a secret nor an assertion was accepted: the app registration "
	"wants one of them"},
    {700016, ENTRA_CONSENT,
	"the app is not known in this tenant: its administrator has to "
	"consent, or clientId or the tenant's id is wrong"},
    {90002, ENTRA_SETTINGS,
	"there is no such tenant: see tenantIds, and loginUrl for a national "
	"cloud"},
    {90038, ENTRA_SETTINGS,
	"the tenant lives in another national cloud: see loginUrl and "
	"graphUrl"},
    {500011, ENTRA_SETTINGS,
	"Graph is not known there by this address: see graphUrl"},
    {70011, ENTRA_SETTINGS, "the scope is refused: see graphUrl"},
    {700022, ENTRA_SETTINGS, "the scope is refused: see graphUrl"},
    {900144, ENTRA_SETTINGS, "a parameter is missing in our request"},
    {700027, ENTRA_CREDENTIAL,
	"the certificate is refused: it is not registered for the app, or has "
	"expired"},
    {700024, ENTRA_CREDENTIAL,
	"the assertion is out of its time: check the clock of this host"},
    {50027, ENTRA_CREDENTIAL,
	"the assertion is malformed or made for another address: see "
	"loginUrl"},
    {700211, ENTRA_CREDENTIAL,
	"no federated credential of the app has the token's issuer"},
    {700212, ENTRA_CREDENTIAL,
	"no federated credential of the app has the token's audience"},
    {700213, ENTRA_CREDENTIAL,
	"no federated credential of the app has the token's subject"},
    {90055, ENTRA_THROTTLED, "the tenant is throttled"},
    {90006, ENTRA_PASSES, "Entra is out of order"},
    {90012, ENTRA_PASSES, "Entra has timed out"},
    {90024, ENTRA_PASSES, "Entra is out of order"},
    {90033, ENTRA_PASSES, "Entra is out of order"},
    {90090, ENTRA_PASSES, "Entra is out of order"},
};

/* What stands for a code that is not in the table: the word in "error". */
static const struct {
	const char *error;
	struct entra_rule rule;
} entra_words[] = {
    {"temporarily_unavailable", {0, ENTRA_PASSES, "Entra is out of order"}},
    {"invalid_client", {0, ENTRA_CREDENTIAL, "our credential is refused"}},
    {"unauthorized_client",
	{0, ENTRA_CONSENT, "the app is not allowed in this tenant"}},
};

static const struct entra_rule entra_unknown = {
    0, ENTRA_SETTINGS, "the sign-in is refused"};

int
entra_code_in(const char *text)
{
	const char *at = strstr(text, "AADSTS");
	long code = 0;

	if (at != NULL)
		code = strtol(at + strlen("AADSTS"), NULL, 10);
	return code > 0 && code <= ENTRA_CODE_MAX ? (int)code : 0;
}

static const struct entra_rule *
entra_find(int code)
{
	for (size_t i = 0; i < sizeof(entra_rules) / sizeof(entra_rules[0]);
	     i++)
		if (entra_rules[i].code == code)
			return &entra_rules[i];
	return NULL;
}

/* The text's code, the first of the list that we know (older answers have no
 * list), else the list's first; 0 none. */
static int
entra_code_of(const json_t *doc)
{
	const json_t *codes = json_arr(doc, "error_codes");
	const char *text = json_str(doc, "error_description");
	int code = text != NULL ? entra_code_in(text) : 0;

	if (entra_find(code) != NULL)
		return code;
	for (size_t i = 0; i < json_array_size(codes); i++) {
		json_int_t one = json_integer_value(json_array_get(codes, i));

		if (one <= 0 || one > ENTRA_CODE_MAX)
			continue;
		if (entra_find((int)one) != NULL)
			return (int)one;
		if (code == 0)
			code = (int)one;
	}
	return code;
}

static const struct entra_rule *
entra_rule_of(int code, const char *error)
{
	const struct entra_rule *found = entra_find(code);

	if (found != NULL)
		return found;
	for (size_t i = 0; i < sizeof(entra_words) / sizeof(entra_words[0]);
	     i++)
		if (error != NULL && strcmp(entra_words[i].error, error) == 0)
			return &entra_words[i].rule;
	return &entra_unknown;
}

/* The first sentences of the description, without its code and the ids that
 * newer answers put behind blanks and older ones behind line ends. */
static size_t
entra_cut(const char **text)
{
	enum { SHOWN = 160 };
	const char *at = *text;
	size_t len = 0;

	if (strncmp(at, "AADSTS", 6) == 0) {
		at += 6;
		at += strspn(at, "0123456789: ");
	}
	*text = at;
	while (at[len] != '\0' && at[len] != '\r' && at[len] != '\n' &&
	    strncmp(at + len, " Trace ID", 9) != 0)
		len++;
	return len <= SHOWN ? len : text_cut_bytes(at, SHOWN);
}

int
entra_refusal(const json_t *doc, const struct http_reply *reply, struct err *e)
{
	static const enum err_code means[] = {
	    [ENTRA_PASSES] = ERR_RETRY,
	    [ENTRA_THROTTLED] = ERR_BUSY,
	    [ENTRA_CREDENTIAL] = ERR_AUTH,
	    [ENTRA_CONSENT] = ERR_AUTH,
	    [ENTRA_SETTINGS] = ERR_AUTH,
	};
	int code = entra_code_of(doc);
	const char *error = json_str(doc, "error");
	const struct entra_rule *rule = entra_rule_of(code, error);
	const char *text = json_str(doc, "error_description");
	char name[32] = "";
	size_t len;

	if (text == NULL)
		text = "";
	len = entra_cut(&text);
	if (code != 0)
		snprintf(name, sizeof(name), "AADSTS%d: ", code);
	err_set(e, means[rule->kind], "%s%s [status %d %.40s: %.*s]", name,
	    rule->what, reply->status, error != NULL ? error : "", (int)len,
	    text);
	if (e != NULL && rule->kind == ENTRA_THROTTLED)
		e->retry_after_ms = reply->retry_after_ms;
	return -1;
}
