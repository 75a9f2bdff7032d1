/** `/openapi.json`: the description of every route, made from what the routes say of themselves. */
import type { Route } from './route.ts';
import { ref, SCHEMAS } from './schemas.ts';

const REFUSALS: Readonly<Record<string, string>> = {
  400: 'Not JSON, not UTF-8, too deep, or a field that cannot be read',
  401: 'No token, or a wrong one',
  408: 'The request came too slowly',
  413: 'Too many bytes, rows or values',
  415: 'Another content type',
  421: 'Meant for another host',
  429: 'No room in the queue, or no turn in time: ask again after Retry-After seconds',
  500: 'Trouble of the server',
  503: 'The server is ending or not ready',
};

/** OpenAPI 3.1. `secured`: whether a token is needed. */
export function describe(routes: readonly Route[], version: string, secured: boolean): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    paths[route.path] = { ...operations, [route.method.toLowerCase()]: operation(route, secured) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'cipo serve',
      version,
      description: 'Verdicts on what models write. No judgement is null, never reward 0.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: SCHEMAS,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operation(route: Route, secured: boolean): unknown {
  const { responses, ...rest } = route.describe;
  const own = typeof responses === 'object' && responses !== null ? responses : {};
  return {
    ...rest,
    security: secured && !route.open ? [{ token: [] }] : [],
    responses: { ...refusals(route), ...own },
  };
}

function refusals({ method, open }: Route): Record<string, unknown> {
  const possible = method === 'POST' ? Object.keys(REFUSALS) : [...(open ? [] : ['401']), '421'];
  const content = { 'application/json': { schema: ref('Problem') } };
  return Object.fromEntries(
    possible.map((status) => [status, { description: REFUSALS[status], content }]),
  );
}
