/* rule/share.h - how much of something scarce one party may take, so that the
 * others find room too. Pure. */
#ifndef RULE_SHARE_H
#define RULE_SHARE_H

#include <stddef.h>

enum { SHARE_LEAST = 4 }; /* places, however many parties there are */

/*
 * How many more of total places a party may take that has mine of the busy
 * ones. Each of the parties (0 counts as 1) has its even share, whether the
 * others use theirs or not: so nobody becomes slower by what they do. Where
 * that is less than SHARE_LEAST, a party may have SHARE_LEAST as long as that
 * leaves as many for the others together. Never more than what is free.
 */
size_t share_room(size_t total, size_t parties, size_t busy, size_t mine);

/* How many of a party's places may go to work that nobody waits for: half of
 * what it may have, at least one. */
size_t share_unhurried(size_t total, size_t parties);

#endif
