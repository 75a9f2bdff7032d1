/** Loaded with `--import` into the child processes of plug-ins, so that these find the running `@cipo` packages too. */
import { installPackageFallback } from './fallback.ts';

installPackageFallback();
