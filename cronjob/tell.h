/* cronjob/tell.h - what -n and -v say on stdout. */
#ifndef CRONJOB_TELL_H
#define CRONJOB_TELL_H

#include "pass.h"
#include "sync/follow.h"
#include "sync/leave.h"
#include "target.h"

/* -n: a line for each mailbox, what would be done and why. */
void tell_list(const struct target_list *l, int64_t now_ms);

/* -v: a counter on a terminal, else a line for each mailbox touched. */
void tell_followed(const struct pass_options *o, const struct summary *sum,
    const struct target *t, const struct follow_result *r);
void tell_left(const struct pass_options *o, const struct summary *sum,
    const struct target *t, const struct leave_result *r);
/* The counter's line is ended. */
void tell_end(const struct pass_options *o);

#endif
