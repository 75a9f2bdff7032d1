/** All routes that judge rows: the native one and the wire formats of trainers. A new wire format is added in wire/index.ts. */
import { WIRE_ROUTES } from '../wire/index.ts';
import type { Route } from './route.ts';
import { VERIFY_ROUTE } from './verify.ts';

export const ROUTES: readonly Route[] = [VERIFY_ROUTE, ...WIRE_ROUTES];
