/* base/err.c - see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Room to format in before the text is cut: nothing longer is ever kept. */
enum { ERR_WORK_MAX = 2 * ERR_TEXT_MAX };

/* Formats into work, never failing: a broken format gives the format. */
static void err_format(char work[ERR_WORK_MAX], const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
err_format(char work[ERR_WORK_MAX], const char *fmt, va_list ap)
{
	if (vsnprintf(work, ERR_WORK_MAX, fmt, ap) < 0)
		snprintf(work, ERR_WORK_MAX, "%s", "unprintable error");
}

/* The arguments may lie in e->text itself, so work is always a copy. What a
 * peer said, or a precision cut in the middle of a character, is no UTF-8. */
static void
err_store(struct err *e, const char *work)
{
	text_copy_utf8(e->text, sizeof(e->text), work);
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	char work[ERR_WORK_MAX];
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_format(work, fmt, ap);
	va_end(ap);
	e->code = code;
	e->retry_after_ms = -1;
	err_store(e, work);
	return -1;
}

int
err_set_errno(
    struct err *e, enum err_code code, int errnum, const char *fmt, ...)
{
	char work[ERR_WORK_MAX];
	/* Neither the locale nor a shared buffer, unlike strerror(). */
	const char *why = strerrordesc_np(errnum);
	size_t len;
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	err_format(work, fmt, ap);
	va_end(ap);
	/* The reason matters more than the end of a long path. */
	len = text_cut_bytes(work, ERR_TEXT_MAX - 64);
	if (why != NULL)
		snprintf(work + len, sizeof(work) - len, ": %s", why);
	else
		snprintf(work + len, sizeof(work) - len, ": errno %d", errnum);
	e->code = code;
	e->retry_after_ms = -1;
	err_store(e, work);
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char work[ERR_WORK_MAX];
	char old[ERR_TEXT_MAX];
	size_t len;
	va_list ap;

	if (e == NULL)
		return -1;
	memcpy(old, e->text, sizeof(old));
	old[sizeof(old) - 1] = '\0';
	va_start(ap, fmt);
	err_format(work, fmt, ap);
	va_end(ap);
	len = text_cut_bytes(work, ERR_TEXT_MAX - 2);
	snprintf(work + len, sizeof(work) - len, ": %s", old);
	err_store(e, work);
	return -1;
}

void
err_clear(struct err *e)
{
	if (e != NULL)
		memset(e, 0, sizeof(*e));
}

const char *
err_code_name(enum err_code code)
{
	static const char *const names[] = {
	    [ERR_NONE] = "none",
	    [ERR_RETRY] = "retry",
	    [ERR_BUSY] = "busy",
	    [ERR_AUTH] = "auth",
	    [ERR_GONE] = "gone",
	    [ERR_MAILBOX] = "mailbox",
	    [ERR_REFUSED] = "refused",
	    [ERR_INPUT] = "input",
	    [ERR_CONFIG] = "config",
	    [ERR_FULL] = "full",
	    [ERR_NEWER] = "newer",
	};

	if ((unsigned)code >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[code];
}
