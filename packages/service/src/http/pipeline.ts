/**
 * The path of every request. Before its body is read, it is checked in this order: Host, token, route, shutdown, sizes,
 * capacity. Then the route runs, and errors become replies. Leaves out: what the routes do.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Judge, RowVerdict } from '../judge.ts';
import {
  type BodyLimits,
  type ByteBudget,
  checkDeclaredLength,
  declaredLength,
  readBody,
} from './body.ts';
import { createContext, readVisibility } from './context.ts';
import { Connections, Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { acceptedHosts, checkHost, Tokens } from './guard.ts';
import { type JsonLimits, readJson } from './json.ts';
import { readLines } from './lines.ts';
import { discardBody, isSmall, lingeringReply } from './linger.ts';
import { createListener } from './listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { CEILINGS, type ServeOptions } from './options.ts';
import { overloaded, Problem, shuttingDown } from './problem.ts';
import { recordRequest, recordUnparsable } from './record.ts';
import {
  checkEncoding,
  checkExpectation,
  problemText,
  rejectConnection,
  toProblem,
  unsupportedType,
} from './replies.ts';
import type { Reply, Route, RouteContext, RouteRequest } from './route.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly cipo?: Route;
  }
}

/** State that all requests share. */
export interface Shared {
  readonly options: ServeOptions;
  readonly judge: Judge;
  readonly gate: Gate;
  readonly budget: ByteBudget;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly onVerdict: (verdict: RowVerdict, ms: number) => void;
  /** Aborts when the time for draining is over. */
  readonly stop: AbortSignal;
  readonly isDraining: () => boolean;
  /** Requests in progress: their bodies are being read, or their rows wait or are being judged. */
  readonly open: Set<Exchange>;
}

const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const JSON_TYPE = 'application/json; charset=utf-8';
/** Maximum requests on one connection whose replies have not been sent. */
const MAX_PIPELINED = 32;
const REQUEST_ID = /^[\w.:-]{1,64}$/;

export class Pipeline {
  readonly app: FastifyInstance;
  readonly #routes: readonly Route[];
  readonly #shared: Shared;
  readonly #tokens: Tokens;
  readonly #hosts: ReadonlySet<string> | undefined;
  readonly #connections = new Connections();
  readonly #exchanges = new WeakMap<IncomingMessage, Exchange>();

  constructor(routes: readonly Route[], shared: Shared) {
    this.#routes = routes;
    this.#shared = shared;
    const { host, allowHosts, tokens } = shared.options;
    this.#tokens = new Tokens(tokens);
    this.#hosts = acceptedHosts(host, allowHosts);
    this.app = this.#createApp();
    for (const route of routes) this.#addRoute(route);
  }

  #createApp(): FastifyInstance {
    const { options, metrics } = this.#shared;
    const app = fastify({
      serverFactory: (handler) =>
        createListener(options, handler, {
          isBusy: (socket) => this.#connections.count(socket) > 0,
          onDrop: () => metrics.countDroppedConnection(),
        }),
      genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
      return503OnClosing: false, // #admit replies with a Retry-After header, in our error format
      forceCloseConnections: 'idle',
      frameworkErrors: (error, request, reply) => this.#fail(error, request, reply),
      clientErrorHandler: (error, socket) => this.#rejectUnparsable(error, socket),
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', (request: FastifyRequest) =>
      this.#readJson(request),
    );
    app.addContentTypeParser(NDJSON_TYPES, async () => undefined);
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    app.addHook('onSend', async (request, reply, payload) =>
      this.#beforeSend(request, reply, payload),
    );
    app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    return app;
  }

  #addRoute(route: Route): void {
    this.app.route({
      method: route.method,
      url: route.path,
      config: { cipo: route },
      handler: async (request, reply) => {
        const exchange = this.#exchange(request, reply);
        const context = this.#context(request, exchange, route);
        const answer = await route.handle(this.#routeRequest(request, exchange, route), context);
        this.#send(request, reply, answer);
        return reply;
      },
    });
  }

  #context(request: FastifyRequest, exchange: Exchange, { limits }: Route): RouteContext {
    const visibility = readVisibility(queryOf(request).get('diagnostics'), exchange.authorized);
    const { options, judge, gate, onVerdict } = this.#shared;
    const { concurrency: window, batchRows } = options;
    const rows = Math.min(batchRows, limits?.batchRows ?? batchRows);
    const sources = { judge, gate, onVerdict, window, batchRows: rows, ceilings: CEILINGS };
    return createContext(sources, exchange, visibility);
  }

  /** The checks before the body is read. @throws {Problem} if the request is not admitted */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    const { options, gate, budget, isDraining, open } = this.#shared;
    const exchange = this.#exchange(request, reply);
    const { raw } = request;
    checkHost(raw, this.#hosts);
    const route = request.routeOptions.config.cipo;
    if (!route?.isPublic) exchange.authorized = this.#tokens.check(raw.headers);
    if (route === undefined) throw this.#routeNotFound(request);
    if (route.method !== 'POST') return;
    if (isDraining()) throw shuttingDown();
    checkExpectation(raw.headers);
    const isStream = NDJSON_TYPES.includes(typeOf(request));
    if (!isStream) checkDeclaredLength(raw, this.#limits(route));
    if (open.size >= options.requests) {
      const message = `${open.size} requests are in progress: retry later`;
      throw overloaded('too-many-requests', message, 1);
    }
    if (this.#connections.count(raw.socket) > MAX_PIPELINED) {
      const message = `more than ${MAX_PIPELINED} requests on one connection: wait for replies`;
      throw overloaded('too-many-requests', message, 1);
    }
    if (!route.waitsWhenBusy) gate.check();
    budget.check(isStream ? 0 : (declaredLength(raw) ?? 0));
    open.add(exchange);
    if (raw.headers.expect !== undefined) reply.raw.writeContinue();
  }

  #routeNotFound({ url, method }: FastifyRequest): Problem {
    const path = url.split('?', 1)[0] ?? '';
    const methods = this.#routes.filter((it) => it.path === path).map((it) => it.method);
    if (methods.length === 0) {
      const message = 'no endpoint has this path; GET /openapi.json lists all endpoints';
      return new Problem(404, 'no-such-path', message);
    }
    const allow = methods.join(', ');
    const message = `the method ${method} is not allowed for ${path}; use ${allow}`;
    return new Problem(405, 'bad-method', message, { headers: { allow } });
  }

  /** The exchange of a request, created on the first call. */
  #exchange(request: FastifyRequest, reply: FastifyReply): Exchange {
    const { raw } = request;
    const known = this.#exchanges.get(raw);
    if (known) return known;
    const { budget, stop, open } = this.#shared;
    const exchange: Exchange = new Exchange(request.id, reply.raw, budget, stop, () => {
      open.delete(exchange);
      this.#connections.remove(raw.socket, exchange);
      recordRequest(this.#shared, request, exchange);
    });
    this.#exchanges.set(raw, exchange);
    this.#connections.add(raw.socket, exchange);
    reply.headers({
      'x-request-id': exchange.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    return exchange;
  }

  #limits(route: Route | undefined): BodyLimits & JsonLimits {
    const { bodyBytes, bodyMs, jsonDepth, jsonValues } = this.#shared.options;
    const routeBytes = route?.limits?.bodyBytes ?? Number.POSITIVE_INFINITY;
    return {
      bodyBytes: Math.min(bodyBytes, routeBytes),
      bodyMs,
      depth: jsonDepth,
      values: jsonValues,
    };
  }

  async #readJson(request: FastifyRequest): Promise<unknown> {
    checkEncoding(request.raw.headers);
    const exchange = this.#exchanges.get(request.raw);
    if (exchange === undefined) throw new Error('the body is read before its request was admitted');
    const limits = this.#limits(request.routeOptions.config.cipo);
    const bytes = await readBody(request.raw, limits, exchange.share);
    exchange.bytesIn = bytes.length;
    return readJson(bytes, limits);
  }

  #routeRequest(request: FastifyRequest, exchange: Exchange, route: Route): RouteRequest {
    const { id, signal, share } = exchange;
    const { host } = request.raw.headers;
    const base = { id, host, signal, query: queryOf(request), body: request.body };
    if (route.method === 'GET') return base;
    const type = typeOf(request);
    if (NDJSON_TYPES.includes(type)) {
      if (!route.accepts?.includes('ndjson')) throw unsupportedType({ contentType: type, route });
      checkEncoding(request.raw.headers);
      return { ...base, lines: readLines(request.raw, this.#limits(route), share) };
    }
    if (type === '') throw new Problem(400, 'empty-body', 'the body is empty');
    return base;
  }

  #send(request: FastifyRequest, reply: FastifyReply, answer: Reply): void {
    const { status = 200, type = JSON_TYPE, headers = {}, stream, text, body } = answer;
    reply.code(status).headers(headers).type(type);
    if (stream === undefined) {
      reply.send(Buffer.from(text ?? JSON.stringify(body)));
      return;
    }
    reply.header('connection', 'close');
    reply.send(Readable.from(this.#withErrorLine(request, reply, stream), { objectMode: false }));
  }

  /** The status of a stream has been sent before it can fail, so the problem becomes its last line. */
  async *#withErrorLine(
    request: FastifyRequest,
    reply: FastifyReply,
    stream: AsyncIterable<string>,
  ): AsyncGenerator<string> {
    try {
      yield* stream;
    } catch (error) {
      yield `${this.#describeError(error, request, reply).text}\n`;
      if (!(await discardBody(request.raw))) request.raw.destroy();
    }
  }

  #describeError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const route = request.routeOptions?.config?.cipo;
    const contentType = request.raw.headers['content-type'];
    const problem = withBusyStatus(toProblem(error, { contentType, route }), route);
    const exchange = this.#exchange(request, reply);
    exchange.code = problem.code;
    if (problem.status === 500) {
      this.#shared.log.note('error', `request ${exchange.id} failed`, error);
    }
    return { problem, text: problemText(problem, exchange.id, route) };
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { problem, text } = this.#describeError(error, request, reply);
    reply.code(problem.status).headers(problem.headers).type(JSON_TYPE).send(Buffer.from(text));
  }

  /** Decides before the reply is sent whether the connection is kept, and discards a body that was not read. */
  #beforeSend(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    if (!Buffer.isBuffer(payload)) return payload;
    const { raw } = request;
    const keep = !this.#shared.isDraining() && (raw.complete || isSmall(raw));
    if (keep) reply.removeHeader('connection');
    else reply.header('connection', 'close');
    if (raw.complete) return payload;
    reply.header('content-length', payload.length);
    return lingeringReply(raw, payload);
  }

  #rejectUnparsable(error: Error, socket: Socket): void {
    const rejected = rejectConnection(socket, error, this.#connections.isReplying(socket));
    if (rejected !== undefined) recordUnparsable(this.#shared, socket, rejected);
  }
}

/** The id that the client sent, if it has only safe characters, so that both logs can be matched; else a new one. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Replaces the status of a problem by the one after which the clients of the route retry. */
function withBusyStatus(problem: Problem, route: Route | undefined): Problem {
  const isBusy = problem.status === 429 || problem.status === 503;
  if (!isBusy || route?.busyStatus === undefined) return problem;
  const { code, message, headers } = problem;
  return new Problem(route.busyStatus, code, message, { headers });
}

function typeOf({ mediaType }: FastifyRequest): string {
  return mediaType?.toLowerCase() ?? '';
}

function queryOf({ query }: FastifyRequest): ReadonlyMap<string, string> {
  const pairs = Object.entries((query ?? {}) as Readonly<Record<string, unknown>>);
  return new Map(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
