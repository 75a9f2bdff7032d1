/** Every route about rows, in one place: the native one and the wire formats of trainers. Add yours to the list. */
import { WIRE_ROUTES } from '../wire/index.ts';
import type { Route } from './route.ts';
import { verifyRoute } from './verify.ts';

export const ROUTES: readonly Route[] = [verifyRoute, ...WIRE_ROUTES];
