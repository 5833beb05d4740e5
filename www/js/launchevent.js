// @ts-check
/*
 * launchevent.js - asks before an invitation is sent whose link to its Unblu conversation was removed.
 *
 * Only with manifestSendCheck. Runs without a page in Outlook for Windows: plain ES5 in one file, neither a conditional
 * expression nor a promise (before version 2403 it has them not), no DOM, no network. Whatever is not certain lets the
 * invitation go.
 */

/** @type {Record<string, string>} */
var LAUNCHEVENT_TEXTS = {
	en: 'This event has an Unblu conversation, but its link is no longer in the text. Those who are invited could not join it. Press "Unblu Conversation" to insert the link again, or send anyway.',
	de: 'Zu diesem Termin gibt es eine Unblu-Konversation, aber ihr Link steht nicht mehr im Text. Die Eingeladenen könnten nicht teilnehmen. "Unblu-Konversation" fügt den Link wieder ein; oder trotzdem senden.',
	fr: 'Cet événement a une conversation Unblu, mais son lien ne figure plus dans le texte. Les invités ne pourraient pas y participer. Cliquez sur "Conversation Unblu" pour réinsérer le lien, ou envoyez quand même.',
	it: 'Questo evento ha una conversazione Unblu, ma il suo link non è più nel testo. Gli invitati non potrebbero partecipare. Premere "Conversazione Unblu" per reinserire il link, oppure inviare comunque.'
};

/** What Office.js has made; there are no modules here to keep it in. @returns {any} */
function launcheventOffice() {
	// @ts-ignore
	return Office;
}

/** @param {string} language */
function launcheventText(language) {
	var short = String(language || 'en').slice(0, 2).toLowerCase();
	if (LAUNCHEVENT_TEXTS.hasOwnProperty(short)) {
		return LAUNCHEVENT_TEXTS[short];
	}
	return LAUNCHEVENT_TEXTS.en;
}

/** The link that the custom property knows, or ''. The value may be JSON in JSON. @param {any} value @returns {string} */
function launcheventLink(value) {
	var tries;
	for (tries = 0; tries < 3 && typeof value === 'string'; tries++) {
		try {
			value = JSON.parse(value);
		} catch (e) {
			return '';
		}
	}
	if (value && value.v === 1 && typeof value.url === 'string') {
		return value.url;
	}
	return '';
}

/** Whether the text still has the link: HTML may have it escaped, Outlook may have added to it. @param {string} body @param {string} link */
function launcheventHolds(body, link) {
	var plain = body.replace(/&amp;/g, '&').replace(/&#38;/g, '&').replace(/&#x26;/gi, '&');
	return plain.indexOf(link) >= 0 || plain.indexOf(encodeURIComponent(link)) >= 0;
}

/** @param {any} event */
function launcheventLetGo(event) {
	event.completed({ allowEvent: true });
}

/** Whatever goes wrong inside lets the invitation go, too. @param {any} event @param {(result: any) => void} step */
function launcheventTry(event, step) {
	/** @param {any} [result] */
	return function (result) {
		try {
			step(result);
		} catch (e) {
			launcheventLetGo(event);
		}
	};
}

/** @param {any} item @param {string} link @param {any} event */
function launcheventCheckBody(item, link, event) {
	item.body.getTypeAsync(launcheventTry(event, function (type) {
		if (type.status !== 'succeeded') {
			launcheventLetGo(event);
			return;
		}
		item.body.getAsync(type.value, launcheventTry(event, function (body) {
			if (body.status !== 'succeeded' || launcheventHolds(String(body.value), link)) {
				launcheventLetGo(event);
				return;
			}
			event.completed({ allowEvent: false, errorMessage: launcheventText(launcheventOffice().context.displayLanguage) });
		}));
	}));
}

/** @param {any} event */
function onAppointmentSend(event) {
	launcheventTry(event, function () {
		var item = launcheventOffice().context.mailbox.item;
		item.loadCustomPropertiesAsync(launcheventTry(event, function (loaded) {
			var link = '';
			if (loaded.status === 'succeeded') {
				link = launcheventLink(loaded.value.get('unblu'));
			}
			if (link === '') {
				launcheventLetGo(event);
				return;
			}
			launcheventCheckBody(item, link, event);
		}));
	})();
}

launcheventOffice().actions.associate('onAppointmentSend', onAppointmentSend);
/* In a page office.js listens for events only once this is there; without a page nobody calls it. */
launcheventOffice().initialize = function () {};
