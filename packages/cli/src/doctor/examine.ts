/** Examines the machine. Every check returns a finding; a check that throws becomes a finding too. */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { errorMessage } from '@cipo/support';
import { measureExecutors } from './executors.ts';
import { judgeCode, judgeMath } from './judges.ts';
import { describeProbe } from './throughput.ts';

const MIN_NODE_MAJOR = 24;
const MIN_MEMORY_GIB = 2;

export interface Finding {
  readonly area: 'machine' | 'executors' | 'policy' | 'judges';
  readonly name: string;
  readonly ok: boolean;
  /** It must work: judging or the installed default executor does not work without it. */
  readonly needed: boolean;
  /** It is the default executor. */
  readonly isDefault?: boolean;
  /** The command that installs it; present if it is not installed. */
  readonly install?: string;
  /** What was found, or why it does not work. */
  readonly detail: string;
}

export async function examine(): Promise<Finding[]> {
  return [
    ...examineMachine(),
    ...(await examineExecutors()),
    await examineWarmStart(),
    ...(await examineJudges()),
  ];
}

function examineMachine(): Finding[] {
  const major = Number(process.versions.node.split('.')[0]);
  // A container may be limited below the memory of the machine; 0 or a very large number means no limit.
  const gibibytes = Math.min(totalmem(), process.constrainedMemory() || totalmem()) / 2 ** 30;
  const fact = (name: string, detail: string, ok = true, needed = false): Finding => ({
    ...{ area: 'machine', name, ok, needed, detail },
  });
  return [
    fact('node', `${process.version} at ${process.execPath}`, major >= MIN_NODE_MAJOR, true),
    fact('platform', `${process.platform} ${process.arch}`),
    fact('cores', `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`),
    fact('memory', `${gibibytes.toFixed(1)} GiB`, gibibytes >= MIN_MEMORY_GIB),
    presence(
      'prlimit',
      findOnPath('prlimit'),
      'it limits sandbox processes from outside; without it they only limit themselves',
    ),
    presence(
      '/proc',
      existsSync('/proc/self/stat'),
      'it gives the CPU time of sandbox processes; without it limits fall back to wall time',
    ),
  ];
}

function presence(name: string, path: string | boolean, why: string): Finding {
  const ok = path !== false && path !== '';
  const detail = ok ? (typeof path === 'string' ? path : 'present') : `missing: ${why}`;
  return { area: 'machine', name, ok, needed: false, detail };
}

function findOnPath(name: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? '';
}

/** Only the default executor is needed, if it is installed; the others serve GPUs and comparisons. */
async function examineExecutors(): Promise<Finding[]> {
  const failure = (error: unknown): Finding[] => [
    {
      ...{ area: 'executors', name: 'executors', ok: false, needed: true },
      detail: errorMessage(error),
    },
  ];
  return measureExecutors().then(
    (reports) =>
      reports.map(
        ({ executor, backend, available, isDefault, detail, install, probe }): Finding => ({
          area: 'executors',
          name: `${executor}:${backend}`,
          ok: available,
          needed: isDefault && install === undefined,
          ...(isDefault && { isDefault }),
          ...(install !== undefined && { install }),
          detail: [detail, ...(probe && available ? describeProbe(probe) : [])].join(', '),
        }),
      ),
    failure,
  );
}

async function examineWarmStart(): Promise<Finding> {
  const { WARM_START } = await import('@cipo/trainer');
  const weights = join(WARM_START, 'model.safetensors');
  const ok = existsSync(weights);
  const detail = ok
    ? `${(statSync(weights).size / 1e6).toFixed(1)} MB in ${WARM_START}`
    : `missing in ${WARM_START}: make one with cipo pretrain and name it with --model`;
  return { area: 'policy', name: 'warm start', ok, needed: true, detail };
}

async function examineJudges(): Promise<Finding[]> {
  const checks = { math: judgeMath, code: judgeCode };
  return Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<Finding> => {
      const outcome = await check().catch((error: unknown) => ({
        ok: false,
        detail: errorMessage(error),
      }));
      return { area: 'judges', name, needed: true, ...outcome };
    }),
  );
}
