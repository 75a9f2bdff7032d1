/** Script: writes the memory of a new interpreter to the path in its first argument. */
import { writeFileSync } from 'node:fs';
import { makeSnapshot } from './boot.ts';

const path = process.argv[2];
if (!path) throw new Error('usage: make-snapshot PATH');
writeFileSync(path, await makeSnapshot());
process.exit(0);
