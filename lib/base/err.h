/* base/err.h - one error: what the caller can do about it, and a text. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

/* What the caller can do. */
enum err_code {
	ERR_NONE = 0,
	ERR_RETRY, /* passing fault (network, 5xx, locked): try again later */
	ERR_BUSY, /* throttled: not before retry_after_ms from now */
	ERR_AUTH, /* credential refused or token stale: re-authenticate */
	ERR_GONE, /* the one thing asked for does not exist (any more) */
	ERR_MAILBOX, /* the whole mailbox is out of reach: park it */
	ERR_REFUSED, /* permanent refusal: repeating can not help */
	ERR_INPUT, /* malformed or out of bounds input */
	ERR_CONFIG, /* an operator has to change something */
	ERR_FULL, /* no space, no budget, read-only: later, maybe */
	ERR_NEWER /* made by a newer version of this program */
};

enum { ERR_TEXT_MAX = 320 };

/* Caller-owned; nothing to free. Zero-initialised means no error. */
struct err {
	enum err_code code;
	int64_t
	    retry_after_ms; /* with ERR_BUSY; -1 when the peer did not say */
	char text[ERR_TEXT_MAX]; /* UTF-8, cut at a code point, never secrets */
};

/*
 * Fills *e (NULL is allowed: the error is dropped) with code and a printf
 * text; retry_after_ms becomes -1. Always returns -1, so that callers can
 * `return err_set(...)`.
 */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno value errnum appended. */
int err_set_errno(struct err *e, enum err_code code, int errnum,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts "context: " in front of the text. Keeps code. Always returns -1. */
int err_wrap(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes *e the empty error. */
void err_clear(struct err *e);

/* The code's name for logs and the store: "retry", "busy", "gone", ... */
const char *err_code_name(enum err_code code);

#endif
