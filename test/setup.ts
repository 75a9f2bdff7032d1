/**
 * Runs before every test file: properties use the same examples in every run, so that a failure is caused by a change.
 * `FC_SEED=$RANDOM npm test` uses other examples.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20261123) });
