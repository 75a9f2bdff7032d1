import { domainContract } from '@cipo/verifier/testing';
import { describe, test } from 'vitest';
import { parity } from './parity.ts';

describe('the parity domain keeps the contract of all domains', () => {
  const subject = {
    domain: parity,
    rows: [{ number: 4 }, { number: -7 }, { number: 0 }],
    badRows: [
      { row: { number: 1.5 }, field: 'number' },
      { row: {}, field: 'number' },
    ],
  };
  for (const check of domainContract(subject)) test(check.name, check.run);
});
