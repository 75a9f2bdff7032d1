/** The wire formats that trainers already speak, as routes of the server. */
import type { Route } from '../http/route.ts';
import { openInstructRoutes } from './open-instruct.ts';
import { openrlhfRoute } from './openrlhf.ts';
import { sandboxFusionRoutes } from './sandbox-fusion.ts';
import { slimeRoute } from './slime.ts';

export const WIRE_ROUTES: readonly Route[] = [
  ...sandboxFusionRoutes,
  openrlhfRoute,
  slimeRoute,
  ...openInstructRoutes,
];
