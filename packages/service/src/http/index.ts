/** @packageDocumentation The HTTP server: {@link serve} starts it with a judge, and a `Route` adds a wire format to it. */
export { type AccessEntry, createLog, type Log, type LogFormat, type LogSink } from './log.ts';
export { SERVE_DEFAULTS, ServeOptionError, type ServeOptions, serveOptions } from './options.ts';
export { badRequest, PROBLEM_CODES, Problem, type ProblemCode } from './problem.ts';
export type { BodyKind, Line, Reply, Route, RouteContext, RouteRequest } from './route.ts';
export { type RunningServer, type ServeParts, serve } from './server.ts';
