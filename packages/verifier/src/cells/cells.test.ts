import { afterAll, describe, expect, test } from 'vitest';
import { Cell, type CellJob, type CellOutcome, CellPool, type JobLimits } from './index.ts';

const entry = new URL('./fixtures/troublemaker.ts', import.meta.url).href;
const roomy: JobLimits = { wallMs: 10_000 };
const job = (deed: string, argument?: unknown, limits = roomy): CellJob => ({
  payload: { deed, argument },
  limits,
});

describe('a cell', () => {
  const cell = new Cell({ entry });
  afterAll(() => cell.close());
  const value = async (j: CellJob) => {
    const outcome = await cell.run(j);
    return outcome.kind === 'done' ? outcome.value : outcome;
  };

  test('answers a job and says what it used', async () => {
    const outcome = await cell.run(job('echo', { a: [1, 'é'] }));
    expect(outcome).toMatchObject({ kind: 'done', value: { a: [1, 'é'] } });
    expect(outcome).toHaveProperty('usage.cpuMs');
  });

  test('is killed at the wall limit when it spins, and the next job gets a new one', async () => {
    const before = await value(job('pid'));
    expect(await cell.run(job('spin', 0, { wallMs: 150 }))).toMatchObject({
      kind: 'killed',
      limit: 'wall',
    });
    const after = await value(job('pid'));
    expect(after).toBeTypeOf('number');
    expect(after).not.toBe(before);
  });

  test('is killed at the CPU limit from outside', async () => {
    const outcome = await cell.run(job('spin', 0, { wallMs: 20_000, cpuMs: 100 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'cpu' });
  });

  test('is killed as stalled when it sleeps where nothing should', async () => {
    const outcome = await cell.run(job('sleep', 60_000, { wallMs: 20_000, stallMs: 200 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'stall' });
    expect((await cell.run(job('burn', 500, { wallMs: 20_000, stallMs: 200 }))).kind).toBe('done');
  });

  test('does not count time asleep as CPU time', async () => {
    const outcome = await cell.run(job('sleep', 400, { wallMs: 20_000, cpuMs: 100 }));
    expect(outcome.kind).toBe('done');
  });

  test('is killed when its memory passes the limit', async () => {
    const outcome = await cell.run(job('eat', 0, { wallMs: 20_000, rssMb: 400 }));
    expect(outcome).toMatchObject({ kind: 'killed', limit: 'memory' });
  });

  test.each([
    ['exit', 'exit code 3'],
    ['abort', 'SIGABRT'],
  ])('tells of its death by %s', async (deed, words) => {
    const outcome = await cell.run(job(deed));
    expect(outcome.kind).toBe('died');
    expect(outcome.kind === 'died' && outcome.detail).toContain(words);
    expect(await value(job('echo', 1))).toBe(1);
  });

  test('turns an error of its own handler into trouble, not into a result', async () => {
    const outcome = await cell.run(job('fail'));
    expect(outcome.kind).toBe('unavailable');
  });

  test('can neither read outside its modules nor write nor see an environment', async () => {
    expect(await cell.run(job('read', '/etc/passwd'))).toMatchObject({ kind: 'unavailable' });
    expect(await cell.run(job('write', '/tmp/cell-was-here'))).toMatchObject({
      kind: 'unavailable',
    });
    expect(await value(job('env'))).toEqual(['TZ', 'NODE_OPTIONS']);
  });

  test('killed by somebody while it starts, it starts again for the job that waits', async () => {
    const started: number[] = [];
    const victim = new Cell(
      { entry },
      {
        started: (pid) => {
          started.push(pid);
          if (started.length <= 2) process.kill(pid, 'SIGKILL');
        },
      },
    );
    expect(await victim.run(job('echo', 7))).toMatchObject({ kind: 'done', value: 7 });
    expect(started).toHaveLength(3);
    await victim.close();
  });

  test('a script that does not come up is trouble, not a hang', async () => {
    const broken = new Cell({ entry: new URL('./no-such-file.ts', import.meta.url).href });
    expect((await broken.run(job('echo'))).kind).toBe('unavailable');
    await broken.close();
  });
});

describe('a pool of cells', () => {
  const pool = new CellPool<CellJob, CellOutcome>({ entry, threads: 2 });
  afterAll(() => pool.close());

  test('runs many jobs and keeps each answer with its question', async () => {
    const replies = await Promise.all([...Array(40).keys()].map((n) => pool.run(job('echo', n))));
    expect(replies.map((r) => r.kind === 'result' && outcomeValue(r.result))).toEqual([
      ...Array(40).keys(),
    ]);
  });

  test('gives a job whose cell died one more run before it reports the death', async () => {
    const reply = await pool.run(job('exit'));
    expect(reply).toMatchObject({ kind: 'result', result: { kind: 'died' } });
  });

  test('a job whose cell is killed by others, three times over, is still run', async () => {
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

  test('abort answers at once and frees the thread', async () => {
    const stop = new AbortController();
    const spinning = pool.run(job('spin', 0, { wallMs: 60_000 }), stop.signal);
    const other = pool.run(job('spin', 0, { wallMs: 60_000 }), stop.signal);
    const queued = pool.run(job('echo', 7));
    setTimeout(() => stop.abort(), 50);
    expect(await spinning).toMatchObject({ kind: 'void', fault: 'aborted' });
    expect(await other).toMatchObject({ kind: 'void', fault: 'aborted' });
    expect(await queued).toMatchObject({ kind: 'result', result: { kind: 'done', value: 7 } });
  });

  test('a broken script makes void replies', async () => {
    const broken = new CellPool<CellJob, CellOutcome>({ entry: `${entry}.missing.ts`, threads: 1 });
    expect(await broken.run(job('echo'))).toMatchObject({ kind: 'void', fault: 'infra' });
    await broken.close();
  });

  test('close ends work under way and leaves no process', async () => {
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

function outcomeValue(outcome: CellOutcome): unknown {
  return outcome.kind === 'done' ? outcome.value : outcome;
}
