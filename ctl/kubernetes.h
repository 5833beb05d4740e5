/* ctl/kubernetes.h - the CronJob that runs the renewal in a cluster. Pure. */
#ifndef CTL_KUBERNETES_H
#define CTL_KUBERNETES_H

#include "base/buf.h"
#include "rule/cron.h"

/*
 * The schedule of a CronJob: the expression as it stands where Kubernetes reads
 * it like cron, else other words for it. Two things it can not say: 7 for
 * Sunday becomes 0; day of month and day of week that must both match, one of
 * them a star with a step, become all such weekdays, which is more often (a
 * pass with nothing due is harmless). *exact (may be NULL): not that case.
 */
void kubernetes_write_schedule(
    struct buf *out, const char *text, const struct cron *cron, bool *exact);

struct kubernetes_job {
	const char *config; /* its path in the container */
	const char *database; /* told to the program; NULL: as configured */
	const char *store; /* what that is in the end, for its volume */
};

/* The CronJob as YAML. No secret is in it: what is configured stays there. */
void kubernetes_write_cronjob(struct buf *out, const char *text,
    const struct cron *cron, const struct kubernetes_job *how);

#endif
