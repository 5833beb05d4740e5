// @ts-check
/* Who plays: the tenants, the agents and what already stands in their calendars. */

export const DIRECTORY = {
	app: { clientId: '5f2a6d1e-7c34-4b0e-9a51-3c8f0d2b7e11', name: 'Outlook add-in', clientSecret: 'Demo8Q~client.secret_of-the+demo/=1' },
	gateway: { clientId: 'outlook-addin-sync', clientSecret: 'demo:gateway+secret/=%~' },
	tenants: [
		{
			id: '3e1c9a50-6b1f-4d27-8f3a-0c5d7e9b1a2c', name: 'Alpine Bank', domain: 'alpinebank.example',
			mailboxes: [
				{ oid: 'a4d20f6b-1c3e-4b58-9d7a-2e6f8c0b1d3a', upn: 'anna.keller@alpinebank.example', name: 'Anna Keller' },
				{ oid: 'b7e51c8d-2f4a-4c69-8e1b-3f7a9d1c2e4b', upn: 'luca.brunner@alpinebank.example', name: 'Luca Brunner' },
			],
		},
		{
			id: '9c7b5d31-8e2a-4f46-b0c9-1d3e5f7a9b2c', name: 'Harbour Insurance', domain: 'harbourinsurance.example',
			mailboxes: [
				{ oid: 'c1f83e2a-3d5b-4d7c-af2c-4a8b0e2d3f5c', upn: 'maya.lindqvist@harbourinsurance.example', name: 'Maya Lindqvist' },
			],
		},
	],
};

/** Events without a conversation, so that a calendar looks like one: day of the week, hour, minutes. */
export const FURNITURE = [
	{ who: 0, subject: 'Team stand-up', day: 0, hour: 9, minutes: 30 },
	{ who: 0, subject: 'Team stand-up', day: 2, hour: 9, minutes: 30 },
	{ who: 0, subject: 'Lunch with compliance', day: 3, hour: 12, minutes: 60 },
	{ who: 0, subject: 'Credit committee', day: 4, hour: 9.5, minutes: 90 },
	{ who: 1, subject: 'Branch visit', day: 1, hour: 13, minutes: 120 },
	{ who: 2, subject: 'Claims round', day: 0, hour: 10, minutes: 60 },
	{ who: 2, subject: 'Training: new policies', day: 3, hour: 14, minutes: 120 },
];

/** Meetings that the story links in one go, for the crashes. */
export const MEETINGS = [
	{ who: 0, subject: 'Mortgage renewal', day: 2, hour: 14, minutes: 60 },
	{ who: 0, subject: 'First investment talk', day: 3, hour: 10, minutes: 45 },
	{ who: 0, subject: 'Pension check-up', day: 4, hour: 13.5, minutes: 60 },
	{ who: 1, subject: 'Account opening', day: 0, hour: 11, minutes: 45 },
	{ who: 1, subject: 'Leasing offer', day: 2, hour: 15, minutes: 60 },
	{ who: 2, subject: 'Claim 4711: water damage', day: 1, hour: 13, minutes: 60 },
	{ who: 2, subject: 'Household policy', day: 2, hour: 9, minutes: 45 },
	{ who: 2, subject: 'Car insurance, change of owner', day: 4, hour: 11, minutes: 45 },
];
