/** All routes that judge rows: the native one and the wire formats of trainers. Add new routes to the list. */
import { WIRE_ROUTES } from '../wire/index.ts';
import type { Route } from './route.ts';
import { VERIFY_ROUTE } from './verify.ts';

export const ROUTES: readonly Route[] = [VERIFY_ROUTE, ...WIRE_ROUTES];
