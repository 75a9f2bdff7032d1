/** `/openapi.json`: the OpenAPI description of all routes, built from the `describe` object of each. */
import type { Route } from './route.ts';
import { ref, SCHEMAS } from './schemas.ts';

/** Descriptions of the error replies by status. */
const ERRORS: Readonly<Record<string, string>> = {
  400: 'Not JSON, not UTF-8, nested too deeply, or a field that cannot be read',
  401: 'The token is missing or not valid',
  408: 'The request arrived too slowly',
  413: 'Too many bytes, rows or values',
  415: 'Unsupported content type or encoding',
  421: 'The Host header does not name this server',
  429: 'The queue is full, or no row was started in time: retry after Retry-After seconds',
  500: 'Internal error; the log of the server has the reason',
  503: 'The server is shutting down or not ready: retry after Retry-After seconds',
};

/**
 * Describes routes as OpenAPI 3.1. Hidden routes are left out.
 *
 * @param isSecured whether a token is required
 */
export function describeRoutes(
  routes: readonly Route[],
  version: string,
  isSecured: boolean,
): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes.filter(({ isHidden }) => !isHidden)) {
    const operations = paths[route.path] ?? {};
    const operation = describeOperation(route, isSecured);
    paths[route.path] = { ...operations, [route.method.toLowerCase()]: operation };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'cipo serve',
      version,
      description:
        'Judges responses of language models. A row that was not judged has the reward null, never 0.',
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

function describeOperation(route: Route, isSecured: boolean): unknown {
  const { responses, ...rest } = route.describe;
  const routeResponses = typeof responses === 'object' && responses !== null ? responses : {};
  return {
    ...rest,
    security: isSecured && !route.isPublic ? [{ token: [] }] : [],
    responses: { ...describeErrors(route), ...routeResponses },
  };
}

function describeErrors({ method, isPublic }: Route): Record<string, unknown> {
  const statuses = method === 'POST' ? Object.keys(ERRORS) : [...(isPublic ? [] : ['401']), '421'];
  const content = { 'application/json': { schema: ref('Problem') } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: ERRORS[status], content }]),
  );
}
