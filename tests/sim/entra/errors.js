// @ts-check
/*
 * Error answers of the token endpoint. Codes, HTTP statuses and `error` words: graph.md 2.3; texts as
 * published in the Entra error reference and seen in public logs.
 */

/** @type {Record<number, { status: number, error: string, text: (p: any) => string }>} */
export const AADSTS = {
	7000215: { status: 401, error: 'invalid_client', text: (p) => `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${p.client}'.` },
	7000222: { status: 401, error: 'invalid_client', text: (p) => `The provided client secret keys for app '${p.client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.` },
	7000218: { status: 401, error: 'invalid_client', text: () => `The request body must contain the following parameter: 'client_assertion' or 'client_secret'.` },
	700027: { status: 401, error: 'invalid_client', text: (p) => `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${p.reason}]. Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '${p.client}'.` },
	700024: { status: 401, error: 'invalid_client', text: (p) => `Client assertion is not within its valid time range. Current time: ${p.now}, assertion valid from ${p.from}, expiry time of assertion ${p.until}.` },
	50027: { status: 401, error: 'invalid_client', text: (p) => `JWT token is invalid or malformed. ${p.reason}` },
	700211: { status: 401, error: 'invalid_client', text: (p) => `No matching federated identity record found for presented assertion issuer '${p.issuer}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.` },
	700212: { status: 401, error: 'invalid_client', text: (p) => `No matching federated identity record found for presented assertion audience '${p.audience}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.` },
	700213: { status: 401, error: 'invalid_client', text: (p) => `No matching federated identity record found for presented assertion subject '${p.subject}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.` },
	700016: { status: 400, error: 'unauthorized_client', text: (p) => `Application with identifier '${p.client}' was not found in the directory '${p.directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.` },
	90002: { status: 400, error: 'invalid_request', text: (p) => `Tenant '${p.tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.` },
	9001023: { status: 400, error: 'invalid_request', text: () => 'The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.' },
	500011: { status: 400, error: 'invalid_resource', text: (p) => `The resource principal named ${p.resource} was not found in the tenant named ${p.directory}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.` },
	70011: { status: 400, error: 'invalid_scope', text: (p) => `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${p.scope} is not valid.` },
	700022: { status: 400, error: 'invalid_scope', text: () => 'The provided value for the input parameter scope is not valid because it contains more than one resource.' },
	900144: { status: 400, error: 'invalid_request', text: (p) => `The request body must contain the following parameter: '${p.parameter}'.` },
	70003: { status: 400, error: 'unsupported_grant_type', text: (p) => `The app requested an unsupported grant type '${p.grant}'.` },
	70008: { status: 400, error: 'invalid_grant', text: () => 'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.' },
	501481: { status: 400, error: 'invalid_grant', text: () => 'The Code_Verifier does not match the code_challenge supplied in the authorization request.' },
	500112: { status: 400, error: 'invalid_client', text: () => "The reply address does not match the reply address provided when requesting Authorization code." },
	9002327: { status: 400, error: 'invalid_request', text: () => "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests." },
	700084: { status: 400, error: 'invalid_grant', text: () => 'The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can not be extended.' },
	90055: { status: 429, error: 'temporarily_unavailable', text: () => 'The tenant request throttled due to too many incoming requests. Please retry after some time.' },
	90033: { status: 503, error: 'temporarily_unavailable', text: () => 'A transient error has occurred. Please try again.' },
	90012: { status: 504, error: 'temporarily_unavailable', text: () => 'Request timed out. Please retry later.' },
};

/**
 * @param {any} sim @param {any} ctx @param {number} code @param {any} [params] @param {number} [status] other than the usual
 */
export function aadError(sim, ctx, code, params = {}, status = undefined) {
	const kind = AADSTS[code];
	const stamp = new Date(sim.clock.now()).toISOString().slice(0, 19).replace('T', ' ') + 'Z';
	const trace = sim.rng.guid();
	const correlation = ctx.headers['client-request-id'] ?? ctx.requestId;
	/* Older answers separate the tail by line ends, newer ones by blanks. */
	const gap = sim.settings.entra.oldTexts ? '\r\n' : ' ';
	ctx.code = `AADSTS${code}`;
	return {
		status: status ?? kind.status,
		headers: { 'Content-Type': 'application/json; charset=utf-8' },
		body: {
			error: kind.error,
			error_description: `AADSTS${code}: ${kind.text(params)}${gap}Trace ID: ${trace}${gap}Correlation ID: ${correlation}${gap}Timestamp: ${stamp}`,
			error_codes: [code], timestamp: stamp, trace_id: trace, correlation_id: correlation,
			error_uri: `https://login.microsoftonline.com/error?code=${code}`,
		},
	};
}
