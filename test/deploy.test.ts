/** Tests of the container files: facts that no build checks, such as users, limits, probes and the absence of secrets. */
import { readFileSync } from 'node:fs';
import { SERVE_DEFAULTS } from '@cipo/service/http';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const PORT = SERVE_DEFAULTS.port;
const DRAIN_SECONDS = SERVE_DEFAULTS.drainMs / 1000;
const NON_ROOT = '1000:1000';

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}

describe('Dockerfile', () => {
  const source = read('Dockerfile').replaceAll('\\\n', ' ');
  const instructions = source.split('\n').filter((line) => /^[A-Z]+ /.test(line));
  const runtime = instructions.slice(
    instructions.findLastIndex((line) => line.startsWith('FROM ')),
  );
  const argumentOf = (name: string) =>
    runtime
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length)
      .trim();

  test('the image runs as a numeric user that is not root', () => {
    expect(runtime.filter((line) => line.startsWith('USER '))).toEqual([`USER ${NON_ROOT}`]);
  });

  test('the runtime stage contains only the installed packages', () => {
    expect(runtime.filter((line) => /^(COPY|ADD|RUN) /.test(line))).toEqual([
      'COPY --from=build /app ./',
    ]);
  });

  test('the image listens on the default port with a health check of /healthz', () => {
    const command = JSON.parse(argumentOf('CMD') ?? '[]') as string[];
    expect(command).toEqual(['serve', '--host', '0.0.0.0', '--port', String(PORT)]);
    expect(argumentOf('EXPOSE')).toBe(String(PORT));
    expect(argumentOf('HEALTHCHECK')).toContain(`http://127.0.0.1:${PORT}/healthz`);
  });

  test('the build uses the Node and pnpm versions of the workspace', () => {
    const { packageManager } = JSON.parse(read('package.json')) as { packageManager: string };
    const { engines } = JSON.parse(read('packages/cli/package.json')) as {
      engines: { node: string };
    };
    expect(source).toContain(`npx -y ${packageManager} install --frozen-lockfile`);
    expect(source).toMatch(new RegExp(`^ARG NODE_IMAGE=node:${engines.node.slice(2)}-slim$`, 'm'));
  });

  test('the image contains no token', () => {
    expect(instructions.filter((line) => /^(ENV|ARG) .*token/i.test(line))).toEqual([]);
  });

  test('.dockerignore keeps the folders of the workspace', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const folder of ['packages', 'examples', 'docs', 'docs/api-tool']) {
      expect(ignored).not.toContain(folder);
    }
    expect(ignored).toEqual(expect.arrayContaining(['.git', '**/node_modules', '**/.env*']));
  });
});

describe('compose.yaml', () => {
  const { services } = parse(read('deploy/compose.yaml')) as {
    services: { serve: Record<string, unknown> };
  };
  const { serve } = services;

  test('the service has no root user, no capabilities and a read-only file system', () => {
    expect(serve).toMatchObject({
      user: NON_ROOT,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      tmpfs: [expect.stringMatching(/^\/tmp:size=\d+m,/)],
    });
    expect(serve).not.toHaveProperty('privileged');
    expect(serve).not.toHaveProperty('volumes');
  });

  test('the service has limits on memory, CPU and processes, and a health check', () => {
    expect(serve).toMatchObject({
      mem_limit: expect.any(String),
      cpus: expect.any(Number),
      pids_limit: expect.any(Number),
      healthcheck: { test: expect.arrayContaining([expect.stringContaining('/readyz')]) },
    });
    expect(Number.parseInt(String(serve.stop_grace_period), 10)).toBeGreaterThan(DRAIN_SECONDS);
  });

  test('the token comes from the environment, and the port is published on loopback', () => {
    expect(serve.environment).toEqual({ CIPO_TOKEN: expect.stringMatching(/^\$\{CIPO_TOKEN:\?/) });
    expect(serve.ports).toEqual([`127.0.0.1:${PORT}:${PORT}`]);
  });
});

describe('kubernetes.yaml', () => {
  type Resource = Record<string, unknown> & { readonly kind: string };
  const resources = parseAllDocuments(read('deploy/kubernetes.yaml')).map(
    (document) => document.toJS() as Resource,
  );
  const specOf = (kind: string) => resources.find((it) => it.kind === kind)?.spec as never;
  const { replicas, template, selector } = specOf('Deployment') as {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: Record<string, unknown> & { containers: Record<string, unknown>[] };
    };
  };
  const [container] = template.spec.containers;

  test('the pod meets the restricted security profile with a read-only file system', () => {
    expect(template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(template.spec.automountServiceAccountToken).toBe(false);
  });

  test('the probes use /readyz and /healthz, and the container has limits', () => {
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/readyz' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
      livenessProbe: { httpGet: { path: '/healthz' } },
      resources: { limits: { cpu: expect.any(String), memory: expect.any(String) } },
      ports: [{ containerPort: PORT }],
    });
    const grace = template.spec.terminationGracePeriodSeconds as number;
    expect(grace).toBeGreaterThan(DRAIN_SECONDS + 5); // 5 s: the preStop pause
  });

  test('the token comes from a Secret that the file does not contain', () => {
    expect(container?.env).toEqual([
      { name: 'CIPO_TOKEN', valueFrom: { secretKeyRef: { name: 'cipo-token', key: 'token' } } },
    ]);
    expect(resources.map(({ kind }) => kind)).not.toContain('Secret');
  });

  test('the Service, the disruption budget and the network policy select the pods', () => {
    const { labels } = template.metadata;
    expect(selector.matchLabels).toEqual(labels);
    expect(specOf('Service')).toMatchObject({ selector: labels, ports: [{ port: PORT }] });
    expect(specOf('PodDisruptionBudget')).toEqual({
      minAvailable: replicas - 1,
      selector: { matchLabels: labels },
    });
    expect(specOf('NetworkPolicy')).toMatchObject({
      podSelector: { matchLabels: labels },
      egress: [],
    });
  });
});
