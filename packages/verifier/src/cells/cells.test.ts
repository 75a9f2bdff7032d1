/** Tests of cells and pools with real child processes. */
import { afterAll, describe, expect, test } from 'vitest';
import { Cell } from './cell.ts';
import { CellPool } from './pool.ts';
import { readFromCell } from './protocol.ts';
import type { CellJob, CellOutcome, JobLimits } from './types.ts';

const entry = new URL('./fixtures/actions.ts', import.meta.url).href;
const GENEROUS: JobLimits = { wallMs: 10_000 };
const job = (action: string, argument?: unknown, limits = GENEROUS): CellJob => ({
  payload: { action, argument },
  limits,
});

describe('a cell', () => {
  const cell = new Cell({ entry });
  afterAll(() => cell.close());
  const value = async (j: CellJob) => {
    const outcome = await cell.run(j);
    return outcome.kind === 'done' ? outcome.value : outcome;
  };

  test('a cell answers a job and reports what the job used', async () => {
    const outcome = await cell.run(job('echo', { a: [1, 'é'] }));
    expect(outcome).toMatchObject({ kind: 'done', value: { a: [1, 'é'] } });
    expect(outcome).toHaveProperty('usage.cpuMs');
  });

  test('a cell that spins is killed at the wall limit, and the next job gets a new cell', async () => {
    const before = await value(job('pid'));
    expect(await cell.run(job('spin', 0, { wallMs: 150 }))).toMatchObject({
      kind: 'killed',
      limit: 'wall',
    });
    const after = await value(job('pid'));
    expect(after).toBeTypeOf('number');
    expect(after).not.toBe(before);
  });

  test('a cell is killed from outside at the CPU limit', async () => {
    const outcome = await cell.run(job('spin', 0, { wallMs: 20_000, cpuMs: 100 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'cpu' });
  });

  test('a cell whose job sleeps although it may not is killed as stalled', async () => {
    const outcome = await cell.run(job('sleep', 60_000, { wallMs: 20_000, stallMs: 200 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'stall' });
    expect((await cell.run(job('burn', 500, { wallMs: 20_000, stallMs: 200 }))).kind).toBe('done');
  });

  test('time asleep does not count as CPU time', async () => {
    const outcome = await cell.run(job('sleep', 400, { wallMs: 20_000, cpuMs: 100 }));
    expect(outcome.kind).toBe('done');
  });

  test('a cell is killed when its memory exceeds the limit', async () => {
    const outcome = await cell.run(job('eat', 0, { wallMs: 20_000, rssMb: 400 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'memory' });
  });

  test.each([
    { action: 'exit', words: 'exit code 3' },
    { action: 'abort', words: 'SIGABRT' },
  ])('the outcome of a child that dies by $action says "$words"', async ({ action, words }) => {
    const outcome = await cell.run(job(action));
    expect(outcome.kind).toBe('died');
    expect(outcome.kind === 'died' && outcome.detail).toContain(words);
    expect(await value(job('echo', 1))).toBe(1);
  });

  test('an error of the handler makes the cell unavailable, not a result', async () => {
    const outcome = await cell.run(job('fail'));
    expect(outcome.kind).toBe('unavailable');
  });

  test('a cell can neither read outside its modules nor write nor see an environment', async () => {
    expect(await cell.run(job('read', '/etc/passwd'))).toMatchObject({ kind: 'unavailable' });
    expect(await cell.run(job('write', '/tmp/cell-was-here'))).toMatchObject({
      kind: 'unavailable',
    });
    expect(await value(job('env'))).toEqual(['TZ', 'NODE_OPTIONS']);
  });

  test('a cell that others kill while it starts is started again for the waiting job', async () => {
    const started: number[] = [];
    const victim = new Cell(
      { entry },
      {
        onStart: (pid) => {
          started.push(pid);
          if (started.length <= 2) process.kill(pid, 'SIGKILL');
        },
      },
    );
    expect(await victim.run(job('echo', 7))).toMatchObject({ kind: 'done', value: 7 });
    expect(started).toHaveLength(3);
    await victim.close();
  });

  test('a script that does not start makes the cell unavailable instead of hanging', async () => {
    const broken = new Cell({ entry: new URL('./no-such-file.ts', import.meta.url).href });
    expect((await broken.run(job('echo'))).kind).toBe('unavailable');
    await broken.close();
  });
});

describe('a pool of cells', () => {
  const pool = new CellPool<CellJob, CellOutcome>({ entry, threads: 2 });
  afterAll(() => pool.close());

  test('a pool gives each of many jobs its own answer', async () => {
    const replies = await Promise.all([...Array(40).keys()].map((n) => pool.run(job('echo', n))));
    expect(replies.map((r) => r.kind === 'result' && outcomeValue(r.result))).toEqual([
      ...Array(40).keys(),
    ]);
  });

  test('a job whose cell dies in both runs gets the outcome of the death', async () => {
    const reply = await pool.run(job('exit'));
    expect(reply).toMatchObject({ kind: 'result', result: { kind: 'died' } });
  });

  test('a job whose cell is killed externally three times is still run', async () => {
    const hunted = new CellPool<CellJob, CellOutcome>({ entry, threads: 1 });
    const pending = hunted.run(job('sleep', 300));
    const killed = new Set<number>();
    while (killed.size < 3) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [pid] = hunted.pids;
      if (pid === undefined || killed.has(pid)) continue;
      killed.add(pid);
      process.kill(pid, 'SIGKILL');
    }
    expect(await pending).toMatchObject({ kind: 'result', result: { kind: 'done' } });
    await hunted.close();
  });

  test('an abort replies at once and frees the thread', async () => {
    const stop = new AbortController();
    const spinning = pool.run(job('spin', 0, { wallMs: 60_000 }), stop.signal);
    const other = pool.run(job('spin', 0, { wallMs: 60_000 }), stop.signal);
    const queued = pool.run(job('echo', 7));
    setTimeout(() => stop.abort(), 50);
    expect(await spinning).toMatchObject({ kind: 'void', fault: 'aborted' });
    expect(await other).toMatchObject({ kind: 'void', fault: 'aborted' });
    expect(await queued).toMatchObject({ kind: 'result', result: { kind: 'done', value: 7 } });
  });

  test('a script that does not exist makes void replies', async () => {
    const broken = new CellPool<CellJob, CellOutcome>({ entry: `${entry}.missing.ts`, threads: 1 });
    expect(await broken.run(job('echo'))).toMatchObject({ kind: 'void', fault: 'infra' });
    await broken.close();
  });

  test('close aborts running jobs and leaves no process', async () => {
    const closing = new CellPool<CellJob, CellOutcome>({ entry, threads: 2 });
    await closing.run(job('echo', 1));
    const stuck = [closing.run(job('spin')), closing.run(job('spin')), closing.run(job('echo'))];
    await new Promise((resolve) => setTimeout(resolve, 100));
    const pids = closing.pids;
    expect(pids.length).toBeGreaterThan(0);
    await closing.close();
    await closing.close();
    expect((await Promise.all(stuck)).map((r) => r.kind === 'void' && r.fault)).toEqual(
      Array(3).fill('aborted'),
    );
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

test('a message of a child with a detail that is not a string is read as an empty detail', () => {
  const forged = { type: 'dying', detail: { toString: 1 } };
  expect(readFromCell(forged)).toEqual({ type: 'dying', detail: '' });
});

function outcomeValue(outcome: CellOutcome): unknown {
  return outcome.kind === 'done' ? outcome.value : outcome;
}
