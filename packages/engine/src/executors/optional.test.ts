import { expect, test } from 'vitest';
import { EngineError } from '../errors.ts';
import { installCommand, requireOptional, resolveOptional } from './optional.ts';

test('a package that is not installed is refused with the command that installs it', () => {
  const name = '@tensorflow/tfjs-node-gpu';
  expect(resolveOptional(name)).toBeUndefined();
  const load = () => requireOptional(name);
  expect(load).toThrow(`install it with: ${installCommand(name)}`);
  expect(load).toThrow(EngineError);
  expect(load).toThrow(expect.objectContaining({ code: 'unavailable' }));
});

test('onnxruntime-node is installed without its script, which downloads from another host', () => {
  expect(installCommand('onnxruntime-node')).toContain('--ignore-scripts onnxruntime-node@');
});

test('an EngineError is recognized across copies of the package', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('cipo.EngineError')]: true });
  expect(EngineError.isInstance(foreign)).toBe(true);
  expect(EngineError.isInstance(new Error('x'))).toBe(false);
});
