/* rule/policy.h - the settings that the rules ask for, as plain values. */
#ifndef RULE_POLICY_H
#define RULE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	/* Graph's longest life of a subscription to events. */
	POLICY_SUBSCRIPTION_LIFE_MAX_MIN = 10080
};

/* What becomes of a conversation whose event is deleted: onEventDeleted. */
enum policy_deletion {
	POLICY_DELETE, /* delete-if-untouched */
	POLICY_DELETE_OR_END, /* delete-if-untouched-else-cancel */
	POLICY_LEAVE /* ignore */
};

/* Strings are borrowed for the policy's life. */
struct policy {
	const char *fallback_topic; /* for a blank subject */
	int topic_max_chars;
	int64_t deletion_grace_ms;
	int max_deletions_per_mailbox; /* an hour */
	int max_deletions_per_tenant;
	int64_t subscription_life_ms; /* to ask for */
	int64_t subscription_limit_ms; /* renew at the latest; 0: none */
	int64_t catch_up_past_ms;
	enum policy_deletion deletion;
	bool dry_run; /* no write to Unblu */
};

/* The setting's name to *out; -1 for an unknown one. */
int policy_deletion_parse(const char *name, enum policy_deletion *out);

#endif
