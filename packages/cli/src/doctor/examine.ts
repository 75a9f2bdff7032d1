/** Looks at the machine. Every check answers with a finding; a check that throws is a finding too. */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { judgeCode, judgeMath } from './judges.ts';
import { worth } from './worth.ts';

export interface Finding {
  readonly area: 'machine' | 'executors' | 'policy' | 'judges';
  readonly name: string;
  readonly ok: boolean;
  /** Training with the defaults needs it. */
  readonly needed: boolean;
  /** What was found, or why it does not work. */
  readonly detail: string;
}

export async function examine(): Promise<Finding[]> {
  return [...machine(), ...(await executors()), await warmStart(), ...(await judges())];
}

/** The findings that decide over the exit code. */
export function needed(findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => finding.needed);
}

function machine(): Finding[] {
  const major = Number(process.versions.node.split('.')[0]);
  // A container may be allowed less than the machine has; 0 or absurdly much means no limit.
  const gibibytes = Math.min(totalmem(), process.constrainedMemory() || totalmem()) / 2 ** 30;
  const area = 'machine';
  return [
    {
      area,
      name: 'node',
      ok: major >= 24,
      needed: true,
      detail: `${process.version} at ${process.execPath}`,
    },
    {
      area,
      name: 'platform',
      ok: true,
      needed: false,
      detail: `${process.platform} ${process.arch}`,
    },
    {
      area,
      name: 'cores',
      ok: true,
      needed: false,
      detail: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    },
    {
      area,
      name: 'memory',
      ok: gibibytes >= 2,
      needed: false,
      detail: `${gibibytes.toFixed(1)} GiB`,
    },
    present(
      'prlimit',
      onPath('prlimit'),
      'sets the limits of sandbox processes from outside; without it their own watch alone holds them',
    ),
    present(
      '/proc',
      existsSync('/proc/self/stat'),
      'CPU time of sandbox processes is read from it; without it limits fall back to wall time',
    ),
  ];
}

function present(name: string, path: string | boolean, why: string): Finding {
  const ok = path !== false && path !== '';
  const detail = ok ? (typeof path === 'string' ? path : 'present') : `not there: ${why}`;
  return { area: 'machine', name, ok, needed: false, detail };
}

function onPath(name: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? '';
}

/** Only the default one is needed: the others are for comparison and for machines of their own. */
async function executors(): Promise<Finding[]> {
  const { describeExecutors } = await import('@cipo/engine');
  return (await describeExecutors({ measure: true })).map(
    ({ executor, backend, available, isDefault, detail, probe }): Finding => ({
      area: 'executors',
      name: `${executor}:${backend}`,
      ok: available,
      needed: isDefault,
      detail: [
        detail,
        ...(probe && available ? worth(probe) : []),
        ...(isDefault ? ['the default'] : []),
      ].join(', '),
    }),
  );
}

async function warmStart(): Promise<Finding> {
  const { WARM_START } = await import('@cipo/trainer');
  const weights = join(WARM_START, 'model.safetensors');
  const ok = existsSync(weights);
  const detail = ok
    ? `${(statSync(weights).size / 1e6).toFixed(1)} MB in ${WARM_START}`
    : `not in ${WARM_START}: make one with cipo pretrain and name it with --model`;
  return { area: 'policy', name: 'warm start', ok, needed: true, detail };
}

async function judges(): Promise<Finding[]> {
  const checks = { math: judgeMath, code: judgeCode };
  return Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<Finding> => {
      const outcome = await check().catch((error: unknown) => ({
        ok: false,
        detail: error instanceof Error ? error.message : String(error),
      }));
      return { area: 'judges', name, needed: true, ...outcome };
    }),
  );
}
