// @ts-check
/*
 * What a mail add-in's manifest must be beyond its XSD, which lets all of this pass. Sources: the reference pages of
 * the manifest's elements; each rule is seen to fail in tests/ctl/manifest.test.js.
 */

import { xmlAll, xmlFind } from './xml.js';

/** @typedef {import('./xml.js').Element} Element */
/** @typedef {{ base: string, plain?: boolean }} Expected base: all addresses lie below it; plain: it is http on loopback */

const SIZE_MAX = 256 * 1024;
const ICONS = ['16', '32', '80'];
const MOBILE = ['25', '32', '48'].flatMap((size) => ['1', '2', '3'].map((scale) => `${size}@${scale}`));
const LANGUAGES = ['de', 'fr', 'it'];
const LENGTHS = { 'bt:ShortStrings': 125, 'bt:LongStrings': 250 };

/** @param {Element} root */
function checkAddresses(root, /** @type {Expected} */ { base, plain }) {
	const out = [];
	const scheme = plain ? /^http:\/\/(127\.|localhost|\[::1\])/ : /^https:\/\//;
	const elements = xmlAll(root).filter((e) => ['IconUrl', 'HighResolutionIconUrl', 'SourceLocation', 'bt:Image', 'bt:Url'].includes(e.name) && e.attributes.DefaultValue !== undefined);
	for (const e of elements) {
		const url = e.attributes.DefaultValue;
		if (!scheme.test(url))
			out.push(`${e.name}: ${url} is not https`);
		if (!url.startsWith(base))
			out.push(`${e.name}: ${url} does not lie below ${base}`);
	}
	for (const e of xmlFind(root, 'SupportUrl'))
		if (!plain && !scheme.test(e.attributes.DefaultValue))
			out.push(`SupportUrl: ${e.attributes.DefaultValue} is not https`);
	for (const e of xmlFind(root, 'AppDomain'))
		if (new URL(e.text).origin !== e.text || !plain && !scheme.test(e.text))
			out.push(`AppDomain: ${e.text} is no https origin`);
	return out;
}

/** VersionOverrides without the ones nested in it. @param {Element} overrides @returns {Element} */
function alone(overrides) {
	return { ...overrides, children: overrides.children.filter((c) => c.name !== 'VersionOverrides') };
}

/** @param {Element} part */
function checkIds(part) {
	const out = [];
	const resources = xmlFind(part, 'Resources').flatMap((r) => xmlAll(r)).filter((e) => e.attributes.id !== undefined);
	const controls = xmlAll(part).filter((e) => ['Group', 'Control'].includes(e.name));
	for (const list of [resources, controls]) {
		const ids = list.map((e) => e.attributes.id);
		for (const id of new Set(ids))
			if (ids.indexOf(id) !== ids.lastIndexOf(id))
				out.push(`id ${id} is there twice`);
	}
	const known = new Set(resources.map((e) => e.attributes.id));
	const asked = new Set(xmlAll(part).map((e) => e.attributes.resid).filter((id) => id !== undefined));
	for (const id of [...known, ...asked, ...controls.map((e) => e.attributes.id)])
		if (id.length > 32)
			out.push(`id ${id} has more than 32 characters`);
	for (const id of asked)
		if (!known.has(id))
			out.push(`resid ${id} names no resource`);
	for (const id of known)
		if (!asked.has(id))
			out.push(`resource ${id} is not used`);
	return out;
}

/** @param {Element} part */
function checkIcons(part) {
	const out = [];
	for (const control of xmlFind(part, 'Control')) {
		const id = control.attributes.id;
		const images = xmlFind(control, 'bt:Image');
		const mobile = control.attributes['xsi:type'] === 'MobileButton';
		const have = images.map((i) => mobile ? `${i.attributes.size}@${i.attributes.scale}` : i.attributes.size);
		for (const size of mobile ? MOBILE : ICONS)
			if (!have.includes(size))
				out.push(`${id} has no icon of ${size}`);
		for (const i of images) {
			const image = xmlFind(part, 'bt:Image').find((e) => e.attributes.id === i.attributes.resid);
			const pixels = Number(i.attributes.size) * Number(i.attributes.scale ?? 1);
			if (image !== undefined && !image.attributes.DefaultValue.endsWith(`-${pixels}.png`))
				out.push(`${id}: ${image.attributes.DefaultValue} is not the icon of ${pixels} pixels`);
		}
	}
	return out;
}

/** @param {Element} root */
function checkTexts(root) {
	const out = [];
	const locale = xmlFind(root, 'DefaultLocale')[0]?.text;
	const texts = xmlAll(root).filter((e) => e.children.some((c) => c.name.endsWith('Override') && c.attributes.Locale !== undefined) || ['bt:String', 'DisplayName', 'Description'].includes(e.name) && e.attributes.DefaultValue !== undefined);
	for (const e of texts) {
		const what = e.attributes.id ?? e.name;
		const locales = e.children.map((c) => c.attributes.Locale);
		if (new Set(locales).size !== locales.length)
			out.push(`${what}: a locale is there twice`);
		if (locales.includes(locale))
			out.push(`${what}: an Override for the default locale ${locale}`);
		if (locales.some((l) => !/^[a-z]{2}-[A-Z]{2}$/.test(l)))
			out.push(`${what}: a locale that is no full tag`);
		for (const language of LANGUAGES)
			if (!locales.some((l) => l.startsWith(`${language}-`)))
				out.push(`${what}: nothing in ${language}`);
		for (const value of [e.attributes.DefaultValue, ...e.children.map((c) => c.attributes.Value)])
			if (value.trim() === '')
				out.push(`${what}: an empty text`);
	}
	for (const [list, most] of Object.entries(LENGTHS))
		for (const e of xmlFind(root, list).flatMap((l) => xmlAll(l)))
			for (const value of [e.attributes.DefaultValue, e.attributes.Value])
				if (value !== undefined && [...value].length > most)
					out.push(`${list}: a text of more than ${most} characters`);
	return out;
}

/** @param {Element} part */
function checkCommands(part) {
	const out = [];
	for (const surface of xmlFind(part, 'ExtensionPoint').filter((e) => e.attributes['xsi:type'] === 'AppointmentOrganizerCommandSurface')) {
		const functions = xmlFind(surface, 'Action').filter((a) => a.attributes['xsi:type'] === 'ExecuteFunction');
		if (functions.length !== 1)
			out.push(`${functions.length} function commands in the organizer's form; Outlook has room for one`);
	}
	for (const launch of xmlFind(part, 'ExtensionPoint').filter((e) => e.attributes['xsi:type'] === 'LaunchEvent')) {
		const source = launch.children.find((c) => c.name === 'SourceLocation')?.attributes.resid;
		const runtimes = xmlFind(part, 'Runtime').map((r) => r.attributes.resid);
		if (!runtimes.includes(source ?? ''))
			out.push(`LaunchEvent runs in ${source}, for which there is no Runtime`);
	}
	return out;
}

/** What is wrong with the manifest. @param {Element} root @param {string} source @param {Expected} expected @returns {string[]} */
export function manifestComplaints(root, source, expected) {
	const out = [...checkAddresses(root, expected), ...checkTexts(root)];
	if (Buffer.byteLength(source) > SIZE_MAX)
		out.push('larger than 256 KB');
	const parts = xmlFind(root, 'VersionOverrides').map(alone);
	if (parts.length !== 2)
		out.push(`${parts.length} VersionOverrides instead of two`);
	for (const part of parts)
		out.push(...checkIds(part), ...checkIcons(part), ...checkCommands(part));
	return out;
}
