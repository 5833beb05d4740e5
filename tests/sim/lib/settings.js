// @ts-check
/* All switches with their defaults. POST /control/settings merges into them. */

export function defaultSettings() {
	return {
		/* all: every exchange is held against the specifications; sample: one in 50; off */
		validate: 'all',
		/* a violating exchange is answered 500 */
		strict: false,
		entra: {
			latencyMs: /** @type {number | [number, number]} real ms, or a range */ (0),
			expiresIn: /** @type {number | null} seconds; null: 3599 to 5399 at random */ (null),
			oldTexts: false,
			/* who signs in in a browser (UPN or oid; null: whom login_hint names, else the first), how it goes, and the registered redirect URIs (null: any) */
			signIn: { user: /** @type {string | null} */ (null), answer: 'ok' /* or page (waits for ever), cancel, consent, conditional */, redirectUris: /** @type {string[] | null} */ (null) },
		},
		graph: {
			latencyMs: /** @type {number | [number, number]} */ (0),
			concurrencyLimit: 4,
			concurrencyRetryAfter: /** @type {number | null} seconds in the 429 of the limit; null: no header */ (1),
			conflictRule: true,
			expiry: { maxMinutes: 10080, floorMinutes: 45, beyondMax: 'reject' /* or clamp */ },
			subscriptionPageSize: 100,
			subscriptionList: 'ok' /* or empty, stale */,
			eventPageSize: 10,
			eventPageMax: 1000 /* whatever $top says */,
			endlessLists: false /* each page of events leads to another one */,
			instanceOrder: 'start' /* or shuffled: occurrences of a series */,
			seriesId: 'kept' /* or new: when a single event becomes a series, or a series a single event */,
			deletedItems: '404' /* or 200: GET by immutable id after the user deleted the event */,
			deltaTokenLifeMs: 30 * 86400_000,
			handshake: { timeoutMs: 10_000, blank: 'random' /* + or %20 */, hex: 'random' /* upper or lower */, onRenew: false },
			batch: { shuffle: true, status424: false },
			notify: {
				profile: 'real' /* plain: one per action; none: silence */, delayMs: /** @type {number | [number, number]} virtual ms */ ([0, 150]), gapMs: /** @type {number | [number, number]} */ ([0, 80]),
				gatherMs: /** @type {number | [number, number]} */ ([0, 20]), perPost: 8, duplicates: 0.25, reorder: 0.25, etag: 0.7, missingId: 0.05, pathForms: 'random' /* or plain */,
				lost: 0 /* of the notifications, without a word */,
			},
			delivery: { firstTimeoutMs: 3000, retryTimeoutMs: 10_000, retryBaseMs: 5000, giveUpMs: 4 * 3600_000, parallel: 32, missedOnDrop: true, endpointHealth: false, lost: 0 /* of the posts, told by missed */ },
			/* reauthorizationRequired from afterMs behind the last authorization on; nothing is delivered any more behind pauseMs */
			lifecycleAuto: /** @type {null | { afterMs: number, repeatMs: number, pauseMs?: number }} */ (null),
		},
		gateway: {
			expiresIn: /** @type {number | null} null: the answer has no expires_in */ (3600),
			clientAuth: 'both' /* or basic, post */,
			discovery: true,
			role: 'ADMIN' /* of the gateway client itself; REGISTERED_USER, SUPERVISOR ... */,
			trustActAs: true, actAsHeader: 'x-unblu-trusted-user-id', actAsRoleHeader: 'x-unblu-trusted-user-role',
			unauthorized: '401' /* or redirect, html */,
		},
		unblu: {
			latencyMs: /** @type {number | [number, number]} */ (0),
			ready: true, cors: true,
			publicLink: true, publicLinkBase: /** @type {string | null} */ (null), futureFields: false,
			topicMaxChars: /** @type {number | null} */ (250),
			duplicateSourceStatus: 400,
			allowNonAdminTopic: true, allowNonAdminTime: true, topicParticipations: ['ASSIGNED_AGENT'], timeParticipations: ['ASSIGNED_AGENT'],
			endedIsReadOnly: true,
			leftParticipants: 'drop' /* or ended: ConversationData goes on to list them, in state ENDED */,
			history: 'always' /* ended-only, missing: 404 although the conversation exists */,
		},
	};
}

/**
 * Merges a patch; a name that does not exist is an error, so that a test's typing mistake shows.
 * @param {any} into @param {any} patch @param {string} [at]
 */
export function mergeSettings(into, patch, at = '') {
	for (const [name, value] of Object.entries(patch)) {
		if (!(name in into))
			throw new RangeError(`no setting ${at}${name}`);
		const old = into[name];
		if (typeof old === 'object' && old !== null && !Array.isArray(old) && typeof value === 'object' && value !== null && !Array.isArray(value))
			mergeSettings(old, value, `${at}${name}.`);
		else
			into[name] = value;
	}
	return into;
}
