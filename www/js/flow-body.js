// @ts-check
/* flow-body.js - the link in body and location. The agent's own words are never lost: what can not be read is not replaced. Over ports. */

import { AddinError, errorOf } from './errors.js';
import { inviteAdd, inviteBlock, inviteHas } from './invite.js';

/** @typedef {import('./flow.js').Ports} Ports */

const LARGEST = 1_000_000;
const LOCATION_LENGTH = 255;

/** @param {Ports} p @param {import('./invite.js').BodyType} type @param {string} url */
async function isThereNow(p, type, url) {
	return p.item.readBody(type).then((body) => inviteHas(body, url), () => false);
}

/**
 * Puts the link at the end of the body, in place of an old one if told so. AddinError body-failed.
 * @param {Ports} p
 * @param {{ url: string, label: string, labels: string[], isNew: boolean, oldUrl?: string | null }} what
 *   isNew: the link can not be in the body yet, so that it may be put in front of one that can not be read
 */
export async function insertLink(p, { url, label, labels, isNew, oldUrl = null }) {
	const type = await p.item.bodyType().catch(() => /** @type {const} */ ('html'));
	let body;
	try {
		/* Read right before it is written: the agent may be typing. */
		body = await p.item.readBody(type);
	} catch (e) {
		if (!isNew)
			throw new AddinError('body-failed', { said: errorOf(e).message });
		return prepend(p, label, url, type);
	}
	const kept = oldUrl === null ? body : (await import('./invite-remove.js')).inviteRemove(body, type, oldUrl, labels);
	const next = inviteAdd(kept, type, label, url);
	if (next === body)
		return undefined;
	if (next.length > LARGEST)
		return prepend(p, label, url, type);
	try {
		return await p.item.writeBody(next, type);
	} catch (e) {
		if (await isThereNow(p, type, url))
			return undefined;
		/* No answer: it may still come. Another attempt could make two. */
		if (errorOf(e).details.uncertain)
			throw new AddinError('body-failed', { said: errorOf(e).message });
		return prepend(p, label, url, type);
	}
}

/** @param {Ports} p @param {string} label @param {string} url @param {import('./invite.js').BodyType} type */
async function prepend(p, label, url, type) {
	const block = inviteBlock(label, url, type);
	try {
		await p.item.prependBody(type === 'text' ? `${block}\r\n\r\n` : block, type);
	} catch (e) {
		if (!await isThereNow(p, type, url))
			throw new AddinError('body-failed', { said: errorOf(e).message });
	}
}

/** The link as the location where there is none: a room or a text stays. @param {Ports} p @param {string} url @param {string | null} oldUrl counts as none */
export async function setLocation(p, url, oldUrl) {
	try {
		const there = (await p.item.location()).trim();
		if (url.length <= LOCATION_LENGTH && (there === '' || there === oldUrl))
			await p.item.setLocation(url);
	} catch (e) {
		p.log.add('location-failed', { fault: errorOf(e).message });
	}
}
