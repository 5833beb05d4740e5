// @ts-check
/* pane-words.js - what the pane says when not even its texts could be loaded. */

/** @type {import('./load.js').Table} */
export const PANE_LAST_RESORT = {
	'pane.title': 'Unblu conversation',
	'pane.no-texts.title': 'Part of the add-in could not be loaded',
	'pane.no-texts.text': 'Check your connection and try again. If this stays, tell your administrator: the folder strings is missing.',
	'pane.do.restart': 'Try again',
	'pane.licences': 'Licences',
};
