/* rule/recurrence.h - how long a series goes on. Pure: no I/O, no clock. */
#ifndef RULE_RECURRENCE_H
#define RULE_RECURRENCE_H

#include <jansson.h>
#include <stdint.h>

/* The end of a series without end: the last second of the year 9999. */
#define RECURRENCE_FOREVER_MS INT64_C(253402300799000)

/*
 * By when all occurrences of a series are over, as far as its recurrence tells;
 * not before, at times much later (a number of occurrences says how many, not
 * when). An occurrence that was moved may be later still. start_ms and end_ms
 * are the master's, which are those of the first occurrence. recurrence is
 * Graph's patternedRecurrence, NULL when absent; what can not be understood
 * counts as without end, for then nothing is given up too early.
 * Source: the OpenAPI's patternedRecurrence; reference/graph.md 9.
 */
int64_t
recurrence_end_ms(const json_t *recurrence, int64_t start_ms, int64_t end_ms);

#endif
