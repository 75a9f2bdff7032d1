/** The child process: runs a query on in-memory databases. SQLite's authorizer decides what it may do, not its text. */
import { constants as c, DatabaseSync } from 'node:sqlite';
import { serveCell } from '@cipo/verifier/cells/serve';

/** Functions that depend only on their arguments. The others load code, are random, or are not needed in an answer. */
const PURE = `abs avg ceil ceiling char coalesce concat concat_ws count cume_dist date datetime dense_rank exp floor
  first_value format glob group_concat hex ifnull iif instr julianday lag last_value lead length like ln log log10 log2
  lower ltrim max min mod nth_value ntile nullif percent_rank pi pow power printf quote rank replace round row_number
  rtrim sign sqrt string_agg strftime substr substring sum time total trim trunc typeof unicode unixepoch upper`;
const READING = [c.SQLITE_SELECT, c.SQLITE_READ, c.SQLITE_RECURSIVE];
const NEVER = [c.SQLITE_ATTACH, c.SQLITE_DETACH, c.SQLITE_PRAGMA, c.SQLITE_CREATE_VTABLE];
const LIMITS = { length: 1e6, attach: 0, compoundSelect: 50, likePatternLength: 200 };

/** One row as text. 1 equals 1.0 but not '1'. Doubles are rounded to 12 digits, because a sum depends on its order. */
function shown(row: unknown) {
  return JSON.stringify(row, (_, v) => {
    const number = typeof v === 'number' ? Number(v.toPrecision(12)) : v;
    return typeof v === 'number' || typeof v === 'bigint' ? { number: String(number) } : v;
  });
}

serveCell((payload) => {
  const { setups, query } = payload as { setups: string[]; query: string };
  let stage = 'setup';
  let charsLeft = 1e6; // of all results
  const rowsOn = (setup: string) => {
    using db = new DatabaseSync(':memory:', { limits: LIMITS });
    const allow = (may: (action: number) => boolean) =>
      db.setAuthorizer((action, _, name) => {
        const pure = action === c.SQLITE_FUNCTION && PURE.split(/\s+/).includes(name ?? '');
        return pure || (action !== c.SQLITE_FUNCTION && may(action)) ? c.SQLITE_OK : c.SQLITE_DENY;
      });
    db.exec('PRAGMA temp_store = MEMORY');
    allow((action) => !NEVER.includes(action));
    db.exec(setup);
    stage = 'compile';
    allow((action) => READING.includes(action));
    const statement = db.prepare(query);
    const rest = query
      .slice(statement.sourceSQL.length)
      .replace(/--.*|\/\*[\s\S]*?\*\/|[\s;]/g, '');
    if (rest) throw new Error('more than one statement');
    stage = 'run';
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return Array.from(statement.iterate(), (row) => {
      const text = shown(row);
      charsLeft -= text.length;
      if (charsLeft < 0) throw new Error('the result is too long');
      return text;
    });
  };
  try {
    return { rows: setups.map(rowsOn) };
  } catch (error) {
    return {
      stage,
      message: String(error)
        .slice(0, 300)
        .replace(/^Error: /, ''),
    };
  }
});
