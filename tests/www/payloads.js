// @ts-check
/* Sixty hostile texts, for subject, link, owner, and whatever else comes from outside. */

export const PAYLOADS = [
	'<script>alert(1)</script>', '"><script>alert(1)</script>', "'><img src=x onerror=alert(1)>", '<img src=x onerror=alert(1)>', '<svg onload=alert(1)>', '<svg/onload=alert`1`>', '</p></body></html><h1>x</h1>', '<!--', '-->', '<![CDATA[x]]>',
	'&lt;script&gt;alert(1)&lt;/script&gt;', '&#60;script&#62;', '&amp;lt;b&amp;gt;', '{{7*7}}', '${7*7}', '`${alert(1)}`', '%3Cscript%3Ealert(1)%3C/script%3E', '\\u003cscript\\u003e', '\\x3cscript\\x3e', '<a href="javascript:alert(1)">x</a>',
	'javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\tscript:alert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:x', 'file:///etc/passwd', 'https://user:pass@evil.example/', 'https://evil.example/"onmouseover="alert(1)', "https://evil.example/'onclick='alert(1)",
	'https://evil.example/<b>', 'https://evil.example/ x', 'https://evil.example/\u00a0x', 'https://evil.example/\r\nBcc: x@y', 'https://evil.example/\u202etxt.exe', '//evil.example/x', 'https:evil', 'https://', 'http://evil.example/', 'HTTPS://EVIL.EXAMPLE/`x`',
	'<style>*{display:none}</style>', '<iframe src=//evil.example>', '<base href=//evil.example>', '<meta http-equiv=refresh content=0>', '<form action=//evil.example><button>', '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>', '<noscript><p title="</noscript><img src=x onerror=alert(1)>">', '<template><script>x', '<o:p>&nbsp;</o:p>', '<xml><w:WordDocument/></xml>',
	'\u0000\u0001\u0007', '\ud800', '\ufeff\u200b', '\u202e\u2066abc', 'a\u2028b\u2029c', 'A'.repeat(100_000), '\ud83d\udca9'.repeat(1000), '$& $1 $` $\'', '__proto__', '../../../../etc/passwd',
];
