/* ctl/ctl.c - see ctl.h. */
#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum { FINDINGS_MAX = 1 << 20 };

static void
say(const char *fmt, va_list args)
{
	fputs("outlook-addinctl: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void
ctl_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}

int
ctl_misuse(const struct ctl *ctl, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	fprintf(stderr, "try: outlook-addinctl %s%s--help\n",
	    ctl->command == NULL ? "" : ctl->command->name,
	    ctl->command == NULL ? "" : " ");
	return CTL_USAGE;
}

int
ctl_fail(const char *what, const struct err *e)
{
	ctl_say("%s: %s", what, e->text);
	return e->code == ERR_CONFIG || e->code == ERR_NEWER ? CTL_USAGE
							     : CTL_FAILED;
}

static void
say_warnings(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		fprintf(stderr, "warning: %.*s\n", (int)len, text);
		text += len;
		text += *text == '\n';
	}
}

int
ctl_load(const struct ctl *ctl, unsigned roles, struct config *out)
{
	struct buf problems, warnings;
	struct err e = {0};
	int rc;

	/* It may hold secrets from here on, if only the database's password. */
	if (!secret_guard_process())
		ctl_say("others of this user can look into this process");
	buf_init(&problems, FINDINGS_MAX);
	buf_init(&warnings, FINDINGS_MAX);
	rc = config_load(&ctl->over, roles, out, &problems, &warnings, &e);
	fputs(buf_text(&problems), stderr);
	if (!ctl->quiet)
		say_warnings(buf_text(&warnings));
	buf_clear(&problems);
	buf_clear(&warnings);
	if (rc == 0)
		return CTL_DONE;
	ctl_say("%s", e.text);
	return CTL_USAGE;
}

int
ctl_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CTL_DONE;
	ctl_say("write to standard output: %s", strerror(errno));
	return CTL_FAILED;
}

/* What was installed, or built, together with this program, wherever that
 * has been put. */
static bool
find_beside(char out[PATH_MAX])
{
	static const char beside[] = "/../share/outlook-addin";
	static const char proof[] = "/nginx/nginx.conf.in";
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash, *end;

	if (len < 0)
		return false;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL ||
	    (size_t)(slash - out) + sizeof(beside) + sizeof(proof) > PATH_MAX)
		return false;
	memcpy(slash, beside, sizeof(beside));
	end = slash + strlen(beside);
	memcpy(end, proof, sizeof(proof));
	if (access(out, R_OK) != 0)
		return false;
	*end = '\0';
	return true;
}

const char *
ctl_datadir(void)
{
	static char beside[PATH_MAX];
	const char *env = getenv("OUTLOOK_ADDIN_DATADIR");

	if (env != NULL && env[0] != '\0')
		return env;
	return find_beside(beside) ? beside : DATADIR;
}

static void
print_usage(const struct ctl_command *command)
{
	const char *line = command->usage;

	printf("%s.\n\n", command->summary);
	/* Also once when the command takes nothing. */
	do {
		size_t len = strcspn(line, "\n");

		printf("usage: outlook-addinctl [--config FILE] [--database "
		       "URL] %s%s%.*s\n",
		    command->name, len > 0 ? " " : "", (int)len, line);
		line += len;
		line += *line == '\n';
	} while (*line != '\0');
}

static const struct ctl_option *
find_option(const struct ctl_option *opts, const char *arg, size_t len)
{
	for (; opts != NULL && opts->name != NULL; opts++) {
		if (strlen(opts->name) == len &&
		    strncmp(opts->name, arg, len) == 0)
			return opts;
	}
	return NULL;
}

int
ctl_take_option(struct ctl *ctl, const struct ctl_option *opts, int argc,
    char **argv, int *i, int *code)
{
	const struct ctl_option global[] = {
	    {"--config", &ctl->over.path, NULL},
	    {"--database", &ctl->over.database, NULL},
	    {NULL, NULL, NULL},
	};
	const char *arg = argv[*i];
	size_t len = strcspn(arg, "=");
	const struct ctl_option *o = find_option(opts, arg, len);

	if (o == NULL)
		o = find_option(global, arg, len);
	if (o == NULL) {
		*code = ctl_misuse(ctl, "unknown option %.*s", (int)len, arg);
		return -1;
	}
	if (o->flag != NULL && arg[len] == '=') {
		*code = ctl_misuse(ctl, "%s takes no value", o->name);
		return -1;
	}
	if (o->flag != NULL) {
		*o->flag = true;
		return 0;
	}
	if (arg[len] == '=')
		*o->value = arg + len + 1;
	else
		*o->value = *i + 1 < argc ? argv[++*i] : "";
	if ((*o->value)[0] == '\0') {
		*code = ctl_misuse(ctl, "%s needs a value", o->name);
		return -1;
	}
	return 0;
}

int
ctl_parse(struct ctl *ctl, const struct ctl_option *opts, int argc, char **argv,
    const char **args, int max, int *code)
{
	bool only_args = false;
	int count = 0;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];

		if (!only_args && strcmp(arg, "--") == 0) {
			only_args = true;
		} else if (!only_args &&
		    (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)) {
			print_usage(ctl->command);
			*code = ctl_finish();
			return -1;
		} else if (!only_args && arg[0] == '-' && arg[1] != '\0') {
			if (ctl_take_option(ctl, opts, argc, argv, &i, code) !=
			    0)
				return -1;
		} else if (count == max) {
			*code = ctl_misuse(ctl, "unexpected argument %s", arg);
			return -1;
		} else {
			args[count++] = arg;
		}
	}
	return count;
}
