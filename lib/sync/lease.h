/* sync/lease.h - LINK work for a conversation without a seen event. */
#ifndef SYNC_LEASE_H
#define SYNC_LEASE_H

#include "sync/task.h"

/* The task's link, ANNOUNCED, as it was read. Ends in one of the task's ends.
 */
void lease_start(struct task *t, const struct store_link *link);

#endif
