/* rule/share.c - see share.h. */
#include "rule/share.h"

static size_t
share_even(size_t total, size_t parties)
{
	return parties > 1 ? total / parties : total;
}

size_t
share_unhurried(size_t total, size_t parties)
{
	size_t share = share_even(total, parties);

	if (share < SHARE_LEAST)
		share = SHARE_LEAST < total ? SHARE_LEAST : total;
	return share > 1 ? share / 2 : 1;
}

size_t
share_room(size_t total, size_t parties, size_t busy, size_t mine)
{
	size_t free = total > busy ? total - busy : 0;
	size_t share = share_even(total, parties);
	size_t most, room;

	if (share >= SHARE_LEAST) {
		room = share > mine ? share - mine : 0;
		return room < free ? room : free;
	}
	/* There are not enough for all at once. */
	room = free > mine ? (free - mine) / 2 : 0;
	if (room == 0 && mine == 0 && free > 0)
		return 1;
	most = mine < SHARE_LEAST ? SHARE_LEAST - mine : 0;
	return room < most ? room : most;
}
