/** The routes for the wire formats of existing trainers. */
import type { Route } from '../http/route.ts';
import { OPEN_INSTRUCT_ROUTES } from './open-instruct.ts';
import { OPENRLHF_ROUTE } from './openrlhf.ts';
import { SANDBOX_FUSION_ROUTES } from './sandbox-fusion.ts';
import { SLIME_ROUTE } from './slime.ts';

export const WIRE_ROUTES: readonly Route[] = [
  ...SANDBOX_FUSION_ROUTES,
  OPENRLHF_ROUTE,
  SLIME_ROUTE,
  ...OPEN_INSTRUCT_ROUTES,
];
