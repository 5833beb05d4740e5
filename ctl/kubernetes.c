/* ctl/kubernetes.c - see kubernetes.h. */
#include "kubernetes.h"

#include <string.h>

#include "config.h"
#include "crontab.h"

static const char sqlite_prefix[] = "sqlite:";

static const char head[] =
    "# Renews the calendar subscriptions; for kubectl apply -f -.\n"
    "# Expected beside it: the ConfigMap outlook-addin-config with addin.json\n"
    "# and the Secret outlook-addin-secrets with CLIENT_SECRET.\n";

static const char postgres_note[] =
    "# And the Secret outlook-addin-database with the database's password.\n";

static const char sqlite_note[] =
    "# The store is a file: the claim outlook-addin-state has to be one that\n"
    "# two pods of a node may mount (ReadWriteOnce, not ReadWriteOncePod). "
    "Where\n"
    "# the pod runs outlook-addin-renew --loop itself no CronJob is needed.\n";

static const char job[] =
    "  # One at a time; a second one would end at once, it does no harm.\n"
    "  concurrencyPolicy: Forbid\n"
    "  startingDeadlineSeconds: 300\n"
    "  successfulJobsHistoryLimit: 1\n"
    "  failedJobsHistoryLimit: 3\n"
    "  jobTemplate:\n"
    "    spec:\n"
    "      # The next one is the next try.\n"
    "      backoffLimit: 0\n"
    "      activeDeadlineSeconds: 900\n"
    "      template:\n"
    "        metadata:\n"
    "          labels:\n"
    "            app.kubernetes.io/name: outlook-addin-renew\n"
    "            app.kubernetes.io/part-of: outlook-addin\n"
    "        spec:\n"
    "          restartPolicy: Never\n"
    "          automountServiceAccountToken: false\n"
    "          securityContext:\n"
    "            runAsNonRoot: true\n"
    "            seccompProfile:\n"
    "              type: RuntimeDefault\n";

/* Where the other pod has the file, this one can have it. */
static const char affinity[] =
    "          affinity:\n"
    "            podAffinity:\n"
    "              requiredDuringSchedulingIgnoredDuringExecution:\n"
    "                - topologyKey: kubernetes.io/hostname\n"
    "                  labelSelector:\n"
    "                    matchLabels:\n"
    "                      app.kubernetes.io/name: outlook-addin\n";

static const char container[] =
    "          containers:\n"
    "            - name: renew\n"
    "              image: outlook-addin:" PACKAGE_VERSION "\n"
    "              command:\n"
    "                - outlook-addin-renew\n"
    "              args:\n"
    "                - --config\n"
    "                - ";

#define SECRETS_FOLDER "/etc/outlook-addin-secrets"
#define DATABASE_FOLDER "/etc/outlook-addin-database"

static const char environment[] =
    "              env:\n"
    "                - name: CREDENTIALS_DIRECTORY\n"
    "                  value: " SECRETS_FOLDER "\n";

static const char environment_postgres[] =
    "                - name: DATABASE_PASSWORD_FILE\n"
    "                  value: " DATABASE_FOLDER "/password\n";

static const char resources[] =
    "              resources:\n"
    "                requests:\n"
    "                  cpu: 10m\n"
    "                  memory: 16Mi\n"
    "                limits:\n"
    "                  memory: 32Mi\n"
    "              securityContext:\n"
    "                allowPrivilegeEscalation: false\n"
    "                readOnlyRootFilesystem: true\n"
    "                capabilities:\n"
    "                  drop:\n"
    "                    - ALL\n"
    "              volumeMounts:\n";

/* ---- the schedule ---- */

/* The fifth field has a 7, which may be Sunday. */
static bool
says_seven(const char *text)
{
	static const char blank[] = " \t";

	if (text[0] == '@')
		return false;
	for (int i = 0; i < 4; i++) {
		text += strspn(text, blank);
		text += strcspn(text, blank);
	}
	return strchr(text, '7') != NULL;
}

/* A star with a step does not restrict for cron, it does for Kubernetes. */
static bool
both_must_match(const struct cron *c)
{
	const uint32_t days = UINT32_MAX & ~UINT32_C(1);

	return (c->day_star || c->weekday_star) && (c->days & days) != days &&
	    (c->weekdays & 0x7F) != 0x7F;
}

void
kubernetes_write_schedule(
    struct buf *out, const char *text, const struct cron *cron, bool *exact)
{
	bool both = both_must_match(cron);
	bool either = !cron->day_star && !cron->weekday_star;
	bool any_day = either && (cron->weekdays & 0x7F) == 0x7F;

	if (exact != NULL)
		*exact = !both;
	if (!both && !says_seven(text)) {
		buf_puts(out, text);
		return;
	}
	crontab_add_field(out, cron->minutes, 0, 59, 1, NULL);
	buf_putc(out, ' ');
	crontab_add_field(out, cron->hours, 0, 23, 1, NULL);
	buf_putc(out, ' ');
	crontab_add_field(
	    out, both || any_day ? UINT32_MAX : cron->days, 1, 31, 1, NULL);
	buf_putc(out, ' ');
	crontab_add_field(out, cron->months, 1, 12, 1, NULL);
	buf_putc(out, ' ');
	/* "1-31" lets every day fire, whatever the weekday. */
	crontab_add_field(out,
	    either && (cron->days | 1) == UINT32_MAX ? 0x7F : cron->weekdays, 0,
	    6, 1, NULL);
}

/* ---- YAML ---- */

/* A double-quoted scalar: a JSON string is one. */
static void
add_text(struct buf *out, const char *text)
{
	buf_putc(out, '"');
	buf_json_escape(out, text, strlen(text));
	buf_putc(out, '"');
}

/* The folder of the store's file, NULL: it is not one. */
static const char *
folder_of(const char *database, struct buf *b)
{
	const char *path, *end;

	if (strncmp(database, sqlite_prefix, sizeof(sqlite_prefix) - 1) != 0)
		return NULL;
	path = database + sizeof(sqlite_prefix) - 1;
	end = strrchr(path, '/');
	buf_add(b, path, end == NULL ? 0 : (size_t)(end - path));
	if (b->len == 0)
		buf_putc(b, '/');
	return buf_text(b);
}

static void
add_mounts(struct buf *out, const char *config, const char *state)
{
	const char *end = strrchr(config, '/');
	struct buf folder;

	buf_init(&folder, 1 << 16);
	buf_add(&folder, config, end == NULL ? 0 : (size_t)(end - config));
	buf_puts(out,
	    "                - name: config\n"
	    "                  mountPath: ");
	add_text(out, folder.len == 0 ? "/" : buf_text(&folder));
	buf_puts(out,
	    "\n                  readOnly: true\n"
	    "                - name: secrets\n"
	    "                  mountPath: " SECRETS_FOLDER "\n"
	    "                  readOnly: true\n");
	if (state == NULL)
		buf_puts(out,
		    "                - name: database\n"
		    "                  mountPath: " DATABASE_FOLDER "\n"
		    "                  readOnly: true\n");
	if (state != NULL) {
		buf_puts(out,
		    "                - name: state\n"
		    "                  mountPath: ");
		add_text(out, state);
		buf_putc(out, '\n');
	}
	buf_puts(out,
	    "          volumes:\n"
	    "            - name: config\n"
	    "              configMap:\n"
	    "                name: outlook-addin-config\n"
	    "            - name: secrets\n"
	    "              secret:\n"
	    "                secretName: outlook-addin-secrets\n"
	    "                defaultMode: 0440\n");
	if (state == NULL)
		buf_puts(out,
		    "            - name: database\n"
		    "              secret:\n"
		    "                secretName: outlook-addin-database\n"
		    "                defaultMode: 0440\n");
	else
		buf_puts(out,
		    "            - name: state\n"
		    "              persistentVolumeClaim:\n"
		    "                claimName: outlook-addin-state\n");
	buf_clear(&folder);
}

void
kubernetes_write_cronjob(struct buf *out, const char *text,
    const struct cron *cron, const struct kubernetes_job *how)
{
	struct buf schedule, folder;
	const char *state;
	bool exact;

	buf_init(&schedule, 1 << 12);
	buf_init(&folder, 1 << 16);
	state = folder_of(how->store, &folder);
	kubernetes_write_schedule(&schedule, text, cron, &exact);
	buf_puts(out, head);
	buf_puts(out, state != NULL ? sqlite_note : postgres_note);
	buf_puts(out,
	    "apiVersion: batch/v1\n"
	    "kind: CronJob\n"
	    "metadata:\n"
	    "  name: outlook-addin-renew\n"
	    "  labels:\n"
	    "    app.kubernetes.io/name: outlook-addin-renew\n"
	    "    app.kubernetes.io/part-of: outlook-addin\n"
	    "spec:\n");
	if (!exact)
		buf_puts(out,
		    "  # More often than configured: day of month "
		    "and day of week can not both be\n"
		    "  # asked for here. A pass with nothing due is "
		    "harmless.\n");
	buf_puts(out, "  schedule: ");
	add_text(out, buf_text(&schedule));
	buf_puts(out, "\n  timeZone: Etc/UTC\n");
	buf_puts(out, job);
	if (state != NULL)
		buf_puts(out, affinity);
	buf_puts(out, container);
	add_text(out, how->config);
	buf_putc(out, '\n');
	if (how->database != NULL) {
		buf_puts(
		    out, "                - --database\n                - ");
		add_text(out, how->database);
		buf_putc(out, '\n');
	}
	buf_puts(out, environment);
	if (state == NULL)
		buf_puts(out, environment_postgres);
	buf_puts(out, resources);
	add_mounts(out, how->config, state);
	buf_clear(&schedule);
	buf_clear(&folder);
}
