/* rule/bearer_claims.h - the claims of a token whose signature holds.
 * Pure: no I/O, no clock. */
#ifndef RULE_BEARER_CLAIMS_H
#define RULE_BEARER_CLAIMS_H

#include <jansson.h>
#include <stdint.h>

#include "rule/bearer.h"

/*
 * NULL when every rule holds, and *out is then filled; else a static text
 * that names the first rule that does not. key_issuer is the issuer of the
 * key that signed: "" unknown, a template with {tenantid}, or one issuer.
 */
const char *bearer_claims_fault(const json_t *claims,
    const struct bearer_settings *settings, const char *key_issuer,
    int64_t now_ms, struct bearer_identity *out);

#endif
