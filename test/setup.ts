/**
 * Before every test file: properties draw the same examples in every run, so that a change is blamed for what it
 * broke. `FC_SEED=$RANDOM npm test` looks at others.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20261123) });
