/** @packageDocumentation The `cipo` command for other programs: the program itself and the report of a run. */
export { EXIT, UserError } from './errors.ts';
export { main } from './main.ts';
export { createProgram } from './program.ts';
export { writeReport } from './report/write.ts';
