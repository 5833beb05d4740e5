// @ts-check
/* The pane's colours from Outlook's theme. Pure. */

/**
 * @typedef {{ bodyBackgroundColor?: string, bodyForegroundColor?: string, controlBackgroundColor?: string, controlForegroundColor?: string }} OfficeTheme
 * @typedef {{ mode: 'light' | 'dark', colours: Record<string, string> }} Theme
 */

/** Below this relative luminance a background is dark. */
const DARK_BELOW = 0.18;
/** What text on a background needs (WCAG 1.4.3). */
const CONTRAST = 4.5;

/** @param {unknown} text "#abc", "#aabbcc" or "#aabbccdd" @returns {[number, number, number] | null} */
export function parseColour(text) {
	if (typeof text !== 'string' || !/^#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})$/i.test(text))
		return null;
	const hex = text.length === 4 ? [...text.slice(1)].map((c) => c + c).join('') : text.slice(1, 7);
	const part = (/** @type {number} */ at) => Number.parseInt(hex.slice(at, at + 2), 16);
	return [part(0), part(2), part(4)];
}

/** Relative luminance, 0 to 1. @param {[number, number, number]} rgb */
export function luminance(rgb) {
	const [r, g, b] = rgb.map((v) => {
		const c = v / 255;
		return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** @param {[number, number, number]} a @param {[number, number, number]} b */
export function contrast(a, b) {
	const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
	return (high + 0.05) / (low + 0.05);
}

/**
 * null: Outlook says nothing that can be used, the system's setting decides. A foreground that can not be
 * read on its background is left to the sheet.
 * @param {OfficeTheme | null | undefined} theme @returns {Theme | null}
 */
export function readTheme(theme) {
	const ground = parseColour(theme?.bodyBackgroundColor);
	if (ground === null)
		return null;
	/** @type {Record<string, string>} */
	const colours = { '--ground': String(theme?.bodyBackgroundColor).slice(0, 7) };
	const ink = parseColour(theme?.bodyForegroundColor);
	if (ink !== null && contrast(ground, ink) >= CONTRAST)
		colours['--ink'] = String(theme?.bodyForegroundColor).slice(0, 7);
	return { mode: luminance(ground) < DARK_BELOW ? 'dark' : 'light', colours };
}
