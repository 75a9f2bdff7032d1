/** Looks at the machine. Every check answers with a finding; a check that throws is a finding too. */
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { judgeCode, judgeMath } from './judges.ts';

export interface Finding {
  readonly area: 'machine' | 'executors' | 'judges';
  readonly name: string;
  readonly ok: boolean;
  /** Training with the defaults needs it. */
  readonly needed: boolean;
  /** What was found, or why it does not work. */
  readonly detail: string;
}

export async function examine(): Promise<Finding[]> {
  return [...machine(), ...(await judges())];
}

/** The findings that decide over the exit code. */
export function needed(findings: readonly Finding[]): Finding[] {
  return findings.filter((finding) => finding.needed);
}

function machine(): Finding[] {
  const major = Number(process.versions.node.split('.')[0]);
  const gibibytes = totalmem() / 2 ** 30;
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
      detail: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
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
