import { expect, test } from 'vitest';
import { callersNode, testLines } from './domain.ts';

test('the contract test is run with node if the Node of the user runs TypeScript, else with the running one', () => {
  for (const version of ['22.18.0', '23.6.0', '24.21.0']) {
    expect(testLines(version, '/n/bin/node')).toEqual(['  node --test']);
  }
  const [command, reason] = testLines('20.20.2', '/n/bin/node');
  expect(command).toBe('  /n/bin/node --test');
  expect(reason).toContain('`node` is 20.20.2');
  expect(testLines('22.17.1', '/n/bin/node')).toHaveLength(2);
});

test('the Node of the user is the one that runs npx, or the one that started the command', () => {
  const npm = { npm_config_user_agent: 'npm/11.19.1 node/v20.20.2 linux x64 workspaces/false' };
  expect(callersNode(npm)).toBe('20.20.2');
  expect(callersNode({ CIPO_CALLERS_NODE: '20.1.0' })).toBe('20.1.0');
  expect(callersNode({})).toBe(process.versions.node);
});
