// @ts-check
/* The only file that talks to the demo's back end. */

const BASE = '/demo/api';

/** @param {string} method @param {string} path @param {any} [body] */
async function call(method, path, body) {
	const reply = await fetch(BASE + path, { method, headers: body === undefined ? {} : { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
	const text = await reply.text();
	const data = text === '' ? null : JSON.parse(text);
	if (!reply.ok)
		throw new Error(data?.error ?? `${method} ${path}: ${reply.status}`);
	return data;
}

/** @param {{ tenant: string, user: string, id?: string }} e */
const path = (e) => `/events/${e.tenant}/${e.user}${e.id === undefined ? '' : '/' + encodeURIComponent(e.id)}`;

export const api = {
	/** @param {{ tenant: string, user: string }} box @param {{ subject: string, start: number, end: number }} body */
	add: (box, body) => call('POST', path(box), body),
	/** @param {{ tenant: string, user: string, id: string }} e @param {{ subject?: string, start?: number, end?: number }} body */
	change: (e, body) => call('PATCH', path(e), body),
	/** @param {{ tenant: string, user: string, id: string }} e */
	remove: (e) => call('DELETE', path(e)),
	/** The button. @param {{ tenant: string, user: string, id: string }} e */
	link: (e) => call('POST', `${path(e)}/conversation`),
	/** What the event form opens. @param {{ user: string, id: string }} e */
	open: (e) => call('GET', `/form/${e.user}/${encodeURIComponent(e.id)}`),
	/** @param {string} user whose calendar @param {string | null} id null: a new event @param {any} form */
	save: (user, id, form) => call('POST', `/form/${user}${id === null ? '' : '/' + encodeURIComponent(id)}`, form),
	/** @param {{ user: string, id: string }} e */
	copy: (e) => call('POST', `/copy/${e.user}/${encodeURIComponent(e.id)}`),
	/** What the host's nested sign-in gives. @param {string} user */
	token: (user) => call('POST', `/token/${user}`),
	/** @param {string} name */
	act: (name) => call('POST', `/actions/${name}`),
};

/**
 * Follows the back end: the whole state whenever it changed, and each log line.
 * @param {{ state: (s: any) => void, log: (l: any) => void, online: (on: boolean) => void }} to
 */
export function follow(to) {
	const source = new EventSource(`${BASE}/stream`);
	source.addEventListener('state', (e) => to.state(JSON.parse(e.data)));
	source.addEventListener('log', (e) => to.log(JSON.parse(e.data)));
	source.onopen = () => to.online(true);
	source.onerror = () => to.online(false);
}
