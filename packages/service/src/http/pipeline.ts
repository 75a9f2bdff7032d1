/**
 * What every request passes through, in this order and all before its body is read: is the server ending, is it meant
 * for us, who asks, is there such a route, is there room. Leaves out: what the routes do.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Judge, RowVerdict } from '../judge.ts';
import { announced, type BodyLimits, checkAnnounced, type Room, readBody } from './body.ts';
import { createContext, shownTo } from './context.ts';
import { Connections, Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { checkHost, hostNames, Tokens } from './guard.ts';
import { type JsonLimits, readJson } from './json.ts';
import { readLines } from './lines.ts';
import { drained, isSmall, lingering } from './linger.ts';
import { createListener } from './listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { CEILINGS, type ServeOptions } from './options.ts';
import { ending, overloaded, Problem } from './problem.ts';
import { recordAnswer, recordUnreadable } from './record.ts';
import {
  checkEncoding,
  checkExpectation,
  problemText,
  refuseConnection,
  toProblem,
} from './replies.ts';
import type { Reply, Route, RouteContext, RouteRequest } from './route.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly cipo?: Route;
  }
}

/** What all requests share. */
export interface Shared {
  readonly options: ServeOptions;
  readonly judge: Judge;
  readonly gate: Gate;
  readonly room: Room;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly judged: (verdict: RowVerdict, ms: number) => void;
  /** Aborts when the time for draining is over. */
  readonly stop: AbortSignal;
  readonly draining: () => boolean;
  /** Requests under way whose bodies are read or whose rows are judged. */
  readonly open: Set<Exchange>;
}

const NDJSON = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const JSON_TYPE = 'application/json; charset=utf-8';
/** Requests that one client may send without waiting for replies. */
const PIPELINED = 32;
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
    this.#hosts = hostNames(host, allowHosts);
    this.app = this.#createApp();
    for (const route of routes) this.#add(route);
  }

  #createApp(): FastifyInstance {
    const { options, metrics } = this.#shared;
    const app = fastify({
      serverFactory: (handler) =>
        createListener(options, handler, {
          busy: (socket) => this.#connections.count(socket) > 0,
          dropped: () => metrics.connectionDropped(),
        }),
      genReqId: ({ headers }) => requestId(headers['x-request-id']),
      return503OnClosing: false, // ours says when to come back, in the shape of all errors
      forceCloseConnections: 'idle',
      frameworkErrors: (error, request, reply) => this.#fail(error, request, reply),
      clientErrorHandler: (error, socket) => this.#unreadable(error, socket),
    });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', (request: FastifyRequest) => this.#json(request));
    app.addContentTypeParser(NDJSON, async () => undefined);
    app.addHook('onRequest', async (request, reply) => this.#admit(request, reply));
    app.addHook('onSend', async (request, reply, payload) => this.#end(request, reply, payload));
    app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply));
    return app;
  }

  #add(route: Route): void {
    this.app.route({
      method: route.method,
      url: route.path,
      config: { cipo: route },
      handler: async (request, reply) => {
        const exchange = this.#exchange(request, reply);
        const context = this.#context(request, exchange, route);
        const answer = await route.handle(this.#read(request, exchange, route), context);
        this.#send(request, reply, answer);
        return reply;
      },
    });
  }

  #context(request: FastifyRequest, exchange: Exchange, { limits }: Route): RouteContext {
    const shown = shownTo(queryOf(request).get('diagnostics'), exchange.authorised);
    const { options, judge, gate, judged } = this.#shared;
    const { concurrency: window, batchRows } = options;
    const rows = Math.min(batchRows, limits?.batchRows ?? batchRows);
    const sources = { judge, gate, judged, window, batchRows: rows, ceilings: CEILINGS };
    return createContext(sources, exchange, shown);
  }

  /** The checks before a body is read. @throws {Problem} */
  #admit(request: FastifyRequest, reply: FastifyReply): void {
    const { options, gate, room, draining, open } = this.#shared;
    const exchange = this.#exchange(request, reply);
    const { raw } = request;
    checkHost(raw, this.#hosts);
    const route = request.routeOptions.config.cipo;
    if (!route?.open) exchange.authorised = this.#tokens.check(raw.headers);
    if (route === undefined) throw this.#noRoute(request);
    if (route.method !== 'POST') return;
    if (draining()) throw ending();
    checkExpectation(raw.headers);
    const isStream = NDJSON.includes(typeOf(request));
    if (!isStream) checkAnnounced(raw, this.#limits(route));
    if (open.size >= options.requests)
      throw overloaded('too-many-requests', `${open.size} requests are under way already`, 1);
    if (this.#connections.count(raw.socket) > PIPELINED)
      throw overloaded('too-many-requests', `more than ${PIPELINED} requests on one connection`, 1);
    if (!route.patient) gate.check();
    room.check(isStream ? 0 : (announced(raw) ?? 0));
    open.add(exchange);
    if (raw.headers.expect !== undefined) reply.raw.writeContinue();
  }

  #noRoute({ url, method }: FastifyRequest): Problem {
    const path = url.split('?', 1)[0] ?? '';
    const methods = this.#routes.filter((it) => it.path === path).map((it) => it.method);
    if (methods.length === 0)
      return new Problem(404, 'no-such-path', 'there is nothing at this path');
    return new Problem(405, 'bad-method', `not by ${method}`, {
      headers: { allow: methods.join(', ') },
    });
  }

  /** The exchange of a request, begun when it is first asked for. */
  #exchange(request: FastifyRequest, reply: FastifyReply): Exchange {
    const { raw } = request;
    const known = this.#exchanges.get(raw);
    if (known) return known;
    const { room, stop, open } = this.#shared;
    const exchange: Exchange = new Exchange(request.id, reply.raw, room, stop, () => {
      open.delete(exchange);
      this.#connections.remove(raw.socket, exchange);
      recordAnswer(this.#shared, request, exchange);
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
    const own = route?.limits?.bodyBytes ?? Number.POSITIVE_INFINITY;
    return { bodyBytes: Math.min(bodyBytes, own), bodyMs, depth: jsonDepth, values: jsonValues };
  }

  async #json(request: FastifyRequest): Promise<unknown> {
    checkEncoding(request.raw.headers);
    const exchange = this.#exchanges.get(request.raw);
    if (exchange === undefined) throw new Error('a body is read before its request is admitted');
    const limits = this.#limits(request.routeOptions.config.cipo);
    const bytes = await readBody(request.raw, limits, exchange.share);
    exchange.bytesIn = bytes.length;
    return readJson(bytes, limits);
  }

  #read(request: FastifyRequest, exchange: Exchange, route: Route): RouteRequest {
    const { id, signal, share } = exchange;
    const base = { id, signal, query: queryOf(request), body: request.body };
    if (route.method === 'GET') return base;
    const type = typeOf(request);
    if (NDJSON.includes(type)) {
      if (!route.accepts?.includes('ndjson'))
        throw new Problem(415, 'unsupported-type', 'this route takes application/json');
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
    reply.send(Readable.from(this.#lastWords(request, reply, stream), { objectMode: false }));
  }

  /** A stream that fails has its status sent already: the problem becomes its last line. */
  async *#lastWords(
    request: FastifyRequest,
    reply: FastifyReply,
    stream: AsyncIterable<string>,
  ): AsyncGenerator<string> {
    try {
      yield* stream;
    } catch (error) {
      yield `${this.#problem(error, request, reply).text}\n`;
      if (!(await drained(request.raw))) request.raw.destroy();
    }
  }

  #problem(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const route = request.routeOptions?.config?.cipo;
    const problem = asRouteSays(toProblem(error), route);
    const exchange = this.#exchange(request, reply);
    exchange.code = problem.code;
    if (problem.status === 500)
      this.#shared.log.note('error', `request ${exchange.id} failed`, error);
    return { problem, text: problemText(problem, exchange.id, route) };
  }

  #fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { problem, text } = this.#problem(error, request, reply);
    reply.code(problem.status).headers(problem.headers).type(JSON_TYPE).send(Buffer.from(text));
  }

  /** Last before the reply is sent: whether the connection is kept, and what becomes of a body that was not read. */
  #end(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    if (!Buffer.isBuffer(payload)) return payload;
    const { raw } = request;
    const keep = !this.#shared.draining() && (raw.complete || isSmall(raw));
    if (keep) reply.removeHeader('connection');
    else reply.header('connection', 'close');
    if (raw.complete) return payload;
    reply.header('content-length', payload.length);
    return lingering(raw, payload);
  }

  #unreadable(error: Error, socket: Socket): void {
    const refused = refuseConnection(socket, error, this.#connections.replying(socket));
    if (refused !== undefined) recordUnreadable(this.#shared, socket, refused);
  }
}

/** The client's own id where it is a plain one, so that both logs can be laid side by side. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** With the status that clients of the route try again after. */
function asRouteSays(problem: Problem, route: Route | undefined): Problem {
  const isBusy = problem.status === 429 || problem.status === 503;
  if (!isBusy || route?.busyStatus === undefined) return problem;
  const { code, message, headers } = problem;
  return new Problem(route.busyStatus, code, message, { headers });
}

const typeOf = ({ mediaType }: FastifyRequest): string => mediaType?.toLowerCase() ?? '';

function queryOf({ query }: FastifyRequest): ReadonlyMap<string, string> {
  const pairs = Object.entries((query ?? {}) as Readonly<Record<string, unknown>>);
  return new Map(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
