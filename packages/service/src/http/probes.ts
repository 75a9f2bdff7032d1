/**
 * Routes about the server itself: start page, health, readiness, metrics, API description. Leaves out: everything about
 * rows.
 */
import { describeRoutes } from './openapi.ts';
import { renderPage } from './page.ts';
import type { Route } from './route.ts';

export interface ProbeSources {
  readonly isReady: () => boolean;
  readonly metrics: () => { readonly contentType: string; text(): Promise<string> };
  /** All routes, including these. */
  readonly routes: () => readonly Route[];
  readonly version: string;
  /** Whether a token is required. */
  readonly isSecured: boolean;
}

export function probeRoutes(sources: ProbeSources): readonly Route[] {
  return [
    pageRoute(sources),
    FAVICON_ROUTE,
    healthRoute(sources),
    readyRoute(sources),
    metricsRoute(sources),
    openapiRoute(sources),
  ];
}

/** The OpenAPI response of a probe whose body has a fixed `status`. */
function statusResponse(description: string, status: string, more: object = {}) {
  const properties = { status: { enum: [status] }, ...more };
  const schema = { type: 'object', properties };
  return { description, content: { 'application/json': { schema } } };
}

function pageRoute({ routes, version, isSecured }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/',
    isPublic: true,
    isHidden: true,
    describe: { operationId: 'page', summary: 'The start page' },
    handle: async ({ host }) => renderPage({ routes: routes(), version, isSecured, host }),
  };
}

/** Browsers request it with every page; without this route each request is logged as an error. */
const FAVICON_ROUTE: Route = {
  method: 'GET',
  path: '/favicon.ico',
  isPublic: true,
  isHidden: true,
  describe: { operationId: 'favicon', summary: 'No icon' },
  handle: async () => ({ status: 204, text: '' }),
};

function healthRoute({ version }: ProbeSources): Route {
  const more = { version: { type: 'string' } };
  return {
    method: 'GET',
    path: '/healthz',
    isPublic: true,
    describe: {
      operationId: 'health',
      summary: 'Whether the process is running, and its version',
      responses: { 200: statusResponse('The process is running', 'ok', more) },
    },
    handle: async () => ({ body: { status: 'ok', version } }),
  };
}

function readyRoute({ isReady }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/readyz',
    isPublic: true,
    describe: {
      operationId: 'ready',
      summary: 'Whether the server accepts rows now',
      responses: {
        200: statusResponse('The server accepts rows', 'ready'),
        503: statusResponse(
          'The sandboxes are starting or the server is shutting down',
          'not ready',
        ),
      },
    },
    handle: async () =>
      isReady() ? { body: { status: 'ready' } } : { status: 503, body: { status: 'not ready' } },
  };
}

function metricsRoute({ metrics }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/metrics',
    describe: {
      operationId: 'metrics',
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'Prometheus text format', content: { 'text/plain': {} } } },
    },
    handle: async () => {
      const current = metrics();
      return { type: current.contentType, text: await current.text() };
    },
  };
}

function openapiRoute({ routes, version, isSecured }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/openapi.json',
    isPublic: true,
    describe: {
      operationId: 'openapi',
      summary: 'This description of the API',
      responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
    },
    handle: async () => ({ body: describeRoutes(routes(), version, isSecured) }),
  };
}
