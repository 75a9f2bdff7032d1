import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { assertSandboxAvailable } from './runtimes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'cipo-runtimes-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test('code can be verified in this process', () => {
  expect(() => assertSandboxAvailable()).not.toThrow();
});

test('a missing sandbox package is refused at start with the command that installs it', () => {
  cpSync(import.meta.filename.replace('.test.ts', '.ts'), join(scratch, 'runtimes.ts'));
  expect(messageFrom('')).toBe(
    'code verdicts need the package @cipo/sandbox-runtimes, which is not installed: npm i @cipo/sandbox-runtimes',
  );
});

test('an older Node is refused at start, and the message names what works there', () => {
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '22.21.0' });";
  expect(messageFrom(pretend)).toBe(
    'code verdicts need Node 24 or newer (isolated-vm has no binary for older ones), got Node 22.21.0; math verdicts work here: import @cipo/verifier/math',
  );
});

test('a platform without a binary of isolated-vm is named with the platforms that have one', () => {
  const modules = join(scratch, 'node_modules', '@cipo');
  mkdirSync(modules, { recursive: true });
  symlinkSync(
    join(import.meta.dirname, '../../../sandbox-runtimes'),
    join(modules, 'sandbox-runtimes'),
  );
  const message = messageFrom("Object.defineProperty(process, 'arch', { value: 'riscv64' });");
  expect(message).toMatch(/^code verdicts need isolated-vm, which has no binary for Node 2/);
  expect(message).toContain('Linux x64 and arm64, macOS arm64');
});

/** The message of the error that the check throws in a fresh process without this workspace around it. */
function messageFrom(prelude: string): string {
  const script = `${prelude}
    const { assertSandboxAvailable } = await import(${JSON.stringify(join(scratch, 'runtimes.ts'))});
    try { assertSandboxAvailable(); console.log('available'); } catch (error) { console.log(error.message); }`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    cwd: scratch,
    env: {}, // pnpm's NODE_PATH would lead back into the workspace
  }).trim();
}
