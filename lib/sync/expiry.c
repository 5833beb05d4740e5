/* sync/expiry.c - see expiry.h. */
#include "sync/expiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/when.h"

#define EXPIRY_DAY_MS (24LL * 60 * 60 * 1000)

/* Its time is when the nearness was last told. */
static const char expiry_told_fact[] = "credential-expiry-told";
static const char expiry_fact[] = "credential-expiry";

int
expiry_keep(struct store *s, int64_t ends_ms, struct err *e)
{
	char text[32];

	if (ends_ms == 0)
		return store_fact_remove(s, expiry_fact, e) < 0 ? -1 : 0;
	snprintf(text, sizeof(text), "%" PRId64, ends_ms);
	return store_fact_set(s, expiry_fact, text, clock_wall_ms(), e);
}

int64_t
expiry_known_ms(struct store *s)
{
	char text[32];

	if (store_fact_get(s, expiry_fact, text, sizeof(text), NULL, NULL) != 1)
		return 0;
	return strtoll(text, NULL, 10);
}

bool
expiry_is_near(int64_t ends_ms, int64_t now_ms)
{
	return ends_ms != 0 &&
	    ends_ms - now_ms <= CREDENTIAL_NEAR_DAYS * EXPIRY_DAY_MS;
}

bool
expiry_is_to_be_told(struct store *s, int64_t ends_ms)
{
	int64_t now_ms = clock_wall_ms();
	int64_t told_ms = 0;
	char text[32];

	if (!expiry_is_near(ends_ms, now_ms))
		return false;
	if (store_fact_get(
		s, expiry_told_fact, text, sizeof(text), &told_ms, NULL) == 1 &&
	    told_ms <= now_ms && now_ms - told_ms < EXPIRY_DAY_MS)
		return false;
	return store_fact_set(s, expiry_told_fact, "", now_ms, NULL) == 0;
}

const char *
expiry_advice(enum credential_kind kind)
{
	return kind == CREDENTIAL_CERTIFICATE
	    ? "register a new certificate and replace the two files"
	    : "make a new client secret in the app registration, put it in "
	      "place of the old one and set clientSecretExpires";
}

void
expiry_tell(const struct credential *k)
{
	int64_t ends_ms = credential_ends_ms(k);
	int64_t now_ms = clock_wall_ms();
	char when[WHEN_TEXT_MAX];

	if (!expiry_is_near(ends_ms, now_ms))
		return;
	when_format_iso(ends_ms, false, when);
	log_warning(k->kind == CREDENTIAL_CERTIFICATE ? "certificate-expires"
						      : "secret-expires",
	    LOG_STR("expires", when),
	    LOG_INT("days",
		ends_ms > now_ms ? (ends_ms - now_ms) / EXPIRY_DAY_MS : 0),
	    LOG_STR("message", expiry_advice(k->kind)));
}
