/** Routes about the server itself: alive, ready, measured, described. Leaves out: everything about rows. */
import { describe } from './openapi.ts';
import type { Route } from './route.ts';

export interface ProbeSources {
  readonly ready: () => boolean;
  readonly metrics: () => { readonly type: string; text(): Promise<string> };
  /** All routes, these included. */
  readonly routes: () => readonly Route[];
  readonly version: string;
  readonly secured: boolean;
}

export function probeRoutes(sources: ProbeSources): readonly Route[] {
  return [healthRoute, readyRoute(sources), metricsRoute(sources), openapiRoute(sources)];
}

const state = (description: string, status: string) => ({
  description,
  content: {
    'application/json': {
      schema: { type: 'object', properties: { status: { enum: [status] } } },
    },
  },
});

const healthRoute: Route = {
  method: 'GET',
  path: '/healthz',
  open: true,
  describe: {
    operationId: 'health',
    summary: 'Whether the process answers',
    responses: { 200: state('It does', 'ok') },
  },
  handle: async () => ({ body: { status: 'ok' } }),
};

function readyRoute({ ready }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/readyz',
    open: true,
    describe: {
      operationId: 'ready',
      summary: 'Whether rows would be judged now',
      responses: {
        200: state('They would', 'ready'),
        503: state('The sandboxes are starting, or the server is ending', 'not ready'),
      },
    },
    handle: async () =>
      ready() ? { body: { status: 'ready' } } : { status: 503, body: { status: 'not ready' } },
  };
}

function metricsRoute({ metrics }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/metrics',
    describe: {
      operationId: 'metrics',
      summary: 'Metrics for Prometheus',
      responses: { 200: { description: 'Text format', content: { 'text/plain': {} } } },
    },
    handle: async () => {
      const now = metrics();
      return { type: now.type, text: await now.text() };
    },
  };
}

function openapiRoute({ routes, version, secured }: ProbeSources): Route {
  return {
    method: 'GET',
    path: '/openapi.json',
    open: true,
    describe: {
      operationId: 'openapi',
      summary: 'This description',
      responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
    },
    handle: async () => ({ body: describe(routes(), version, secured) }),
  };
}
