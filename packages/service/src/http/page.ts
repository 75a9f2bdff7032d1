/**
 * The start page at `/`: lists the endpoints and shows an example request. It loads nothing, runs no script, and shows
 * neither options nor tokens. Leaves out: everything about rows.
 */
import { createHash } from 'node:crypto';
import { isRecord } from '@cipo/support';
import type { Reply, Route } from './route.ts';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
code { white-space: nowrap; }
pre { padding: 0.8rem; overflow-x: auto; border: 1px solid #8884; border-radius: 4px; }
`;

/** Only the style of this page is allowed, by its hash. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface PageSources {
  readonly routes: readonly Route[];
  readonly version: string;
  /** Whether a token is required. */
  readonly isSecured: boolean;
  /** The Host header of the request. */
  readonly host: string | undefined;
}

/** Renders the start page. */
export function renderPage(sources: PageSources): Reply {
  return {
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer' },
    text: html(sources),
  };
}

function html({ routes, version, isSecured, host }: PageSources): string {
  const rows = routes
    .filter(({ isHidden }) => !isHidden)
    .map((route) => tableRow(route, isSecured));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>cipo serve</title>
<style>${STYLE}</style>
</head>
<body>
<h1>cipo serve</h1>
<p>Version ${escapeHtml(version)}. Judges responses of language models over HTTP. The full description of the API is
<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
<h2>Example</h2>
<pre>${escapeHtml(exampleRequest(host, isSecured))}</pre>
<h2>Endpoints</h2>
<table>
<tr><th>Request</th><th>Purpose</th>${isSecured ? '<th>Needs a token</th>' : ''}</tr>
${rows.join('\n')}
</table>
</body>
</html>
`;
}

function tableRow({ method, path, describe, isPublic }: Route, isSecured: boolean): string {
  const summary =
    isRecord(describe) && typeof describe.summary === 'string' ? describe.summary : '';
  const token = isSecured ? `<td>${isPublic ? 'no' : 'yes'}</td>` : '';
  const request = escapeHtml(`${method} ${path}`);
  return `<tr><td><code>${request}</code></td><td>${escapeHtml(summary)}</td>${token}</tr>`;
}

/** A Host header with other characters is not shown: the example is meant to be pasted into a shell. */
const PLAIN_HOST = /^[\w.[\]:-]{1,255}$/;

function exampleRequest(host: string | undefined, isSecured: boolean): string {
  const authority = host !== undefined && PLAIN_HOST.test(host) ? host : 'HOST:PORT';
  const token = isSecured ? ` \\\n  -H "authorization: Bearer $CIPO_TOKEN"` : '';
  return `curl http://${authority}/v1/verify -H 'content-type: application/json'${token} \\
  -d '{"domain": "math", "answer": "1/2", "response": "It is \\\\boxed{0.5}."}'`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
