/** Tests of what a person meets in a browser or with curl: the start page, the icon, and the texts of common errors. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderPage } from './page.ts';
import type { Route } from './route.ts';
import { startTestServer, type TestServer, TOKEN } from './testing/harness.ts';

let it: TestServer;
beforeAll(async () => {
  it = await startTestServer();
});
afterAll(() => it[Symbol.asyncDispose]());

function get(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${it.server.url}${path}`, init);
}

async function errorOf(reply: Promise<Response>) {
  const { status, headers, ...rest } = await reply.then(async (it) => ({
    status: it.status,
    headers: it.headers,
    ...((await it.json()) as { error: { code: string; message: string } }),
  }));
  return { status, allow: headers.get('allow'), ...rest.error };
}

describe('start page', () => {
  test('it lists every endpoint of the API description, and links to the description', async () => {
    const reply = await get('/');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await reply.text();
    const { paths } = (await (await get('/openapi.json')).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    for (const [path, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        expect(html).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
      }
    }
    expect(Object.keys(paths)).not.toContain('/');
    expect(html).toContain('<a href="/openapi.json">');
  });

  test('its example has the address of the request and is judged as it says', async () => {
    const html = await (await get('/')).text();
    expect(html).toContain(`curl ${it.server.url}/v1/verify`);
    const body = /-d &#39;(.*?)&#39;/.exec(html)?.[1]?.replaceAll('&quot;', '"') ?? '';
    expect(await (await it.post(body)).json()).toMatchObject({ status: 'accepted', reward: 1 });
  });

  test('its policy allows its own style and nothing else', async () => {
    const reply = await get('/');
    const html = await reply.text();
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    const policy = reply.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).not.toContain('unsafe');
    expect(html).not.toMatch(/<script|src=|style=|https?:\/\/(?!127\.0\.0\.1)/);
  });

  test('it escapes what routes and requests contain, and shows no Host that a shell could act on', () => {
    const route: Route = {
      ...{ method: 'GET', path: '/<b>"' },
      describe: { summary: '<script>alert(1)</script>' },
      handle: async () => ({}),
    };
    const common = { routes: [route], version: '<i>', isSecured: true };
    for (const host of ['<img src=x>', '$(reboot)', 'a;b', undefined]) {
      const { text = '' } = renderPage({ ...common, host });
      expect(text).not.toMatch(/<(script|b|i|img)[\s>]/);
      expect(text).toContain('curl http://HOST:PORT/v1/verify');
    }
  });

  test('it needs no token, and shows neither tokens nor options', async () => {
    await using secured = await startTestServer({
      tokens: [TOKEN],
      allowHosts: ['judge.internal'],
    });
    const reply = await fetch(`${secured.server.url}/`);
    const html = await reply.text();
    expect(reply.status).toBe(200);
    expect(html).not.toContain(TOKEN);
    expect(html).not.toContain('judge.internal');
    expect(html).toContain('authorization: Bearer $CIPO_TOKEN');
    expect(html).toMatch(/GET \/metrics<.*<td>yes<\/td>/);
    expect(html).toMatch(/GET \/healthz<.*<td>no<\/td>/);
  });
});

test('the icon is an empty 204', async () => {
  const reply = await get('/favicon.ico');
  expect([reply.status, await reply.text()]).toEqual([204, '']);
});

test('the health check has the version', async () => {
  expect(await (await get('/healthz')).json()).toEqual({ status: 'ok', version: '0.0.0' });
});

describe('error texts', () => {
  test('an unknown path names the API description', async () => {
    const { status, message } = await errorOf(get('/docs'));
    expect([status, message]).toEqual([404, expect.stringContaining('GET /openapi.json')]);
  });

  test('a wrong method names the allowed one', async () => {
    expect(await errorOf(get('/v1/verify'))).toMatchObject({
      status: 405,
      allow: 'POST',
      message: 'the method GET is not allowed for /v1/verify; use POST',
    });
  });

  test.each([
    [
      '/v1/verify',
      'application/x-www-form-urlencoded',
      'expected application/json or application/x-ndjson, got "application/x-www-form-urlencoded"',
    ],
    ['/v1/verify', '', 'expected application/json or application/x-ndjson, got none'],
    [
      '/get_reward',
      'application/x-ndjson',
      'expected application/json, got "application/x-ndjson"',
    ],
  ])('a POST to %s with the content type %j names both types', async (path, type, words) => {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    const body = new TextEncoder().encode('{}'); // fetch adds a content type to a string
    const error = await errorOf(get(path, { method: 'POST', headers, body }));
    expect(error).toMatchObject({ status: 415, message: `content-type: ${words}` });
  });
});
