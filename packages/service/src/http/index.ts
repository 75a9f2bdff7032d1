/** The HTTP server: start it with {@link serve}, extend it with a `Route`. */

export { badRequest, Problem } from './problem.ts';
export type { BodyKind, Line, Reply, Route, RouteContext, RouteRequest } from './route.ts';
