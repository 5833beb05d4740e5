// @ts-check
/* pane-words.js - the pane's words: its own before those that it shares with the button, and what it says when not even its texts could be loaded. Pure. */

/** @type {import('./load.js').Table} */
export const PANE_LAST_RESORT = {
	'pane.title': 'Unblu conversation',
	'pane.no-texts.title': 'Part of the add-in could not be loaded',
	'pane.no-texts.text': 'Check your connection and try again. If this stays, tell your administrator: the folder strings is missing.',
	'pane.do.restart': 'Try again',
	'pane.licences': 'Licences',
};

/**
 * The text of an outcome, in the pane's words where it has some: the button's speak of clicking, and of making. What is no
 * error to the one may be one to the other. A failure without a text gets the general one, whatever was done.
 * @param {import('./load.js').Say} own @param {import('./load.js').Say} shared @returns {(text: import('./pane-view.js').Text) => string}
 */
export function paneSay(own, shared) {
	return (text) => {
		const [, kind, code] = /^(error|done)\.(.*)/.exec(text.key) ?? [];
		const keys = code === undefined ? [text.key] : [text.key, `done.${code}`, `error.${code}`];
		for (const say of [own, shared])
			for (const key of keys)
				if (say(key) !== key)
					return say(key, text.with);
		return kind === 'done' ? shared('done.generic') : own(code === undefined ? text.key : 'error.generic');
	};
}
