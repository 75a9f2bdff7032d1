/**
 * Checks that a backend computes the same as the CPU at full size: a model of the shape of SmolLM2-135M with random
 * weights generates a few tokens and takes a training step on both. Measures no speed; a software driver suffices.
 *
 *   node benchmarks/engine/same.ts [--backend onnx:webgpu] [--tokens 4] [--without-training]
 */
import { parseArgs } from 'node:util';
import { openExecutor } from '../../packages/engine/src/executors/open.ts';
import type { ExecutorName } from '../../packages/engine/src/executors/types.ts';
import { initialWeights } from '../../packages/engine/src/weights/store.ts';
import { announce, printTable } from './common.ts';
import { engineFor, trainingTokens } from './gpu/measure.ts';
import { card } from './gpu/shapes.ts';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'onnx:webgpu' },
    tokens: { type: 'string', default: '4' },
    'without-training': { type: 'boolean', default: false },
  },
});
const model = card.models[0]!;
const weights = initialWeights(model.config, 1);
const length = 32;

interface Outcome {
  readonly tokens: readonly number[];
  readonly logprobs: readonly number[];
  readonly loss: number;
  readonly gradNorm: number;
}

async function outcome(place: string): Promise<Outcome> {
  const [executor, backend] = place.split(':') as [ExecutorName, string];
  const engine = engineFor(await openExecutor({ executor, backend }), model, weights);
  const prompt = Int32Array.from({ length: 16 }, (_, i) => 5 + i * 7);
  const options = { groupSize: 2, maxTokens: Number(values.tokens), temperature: 1, seed: 1 };
  const samples = (await engine.sample([prompt], options)).flat();
  let [loss, gradNorm] = [0, 0];
  if (!values['without-training']) {
    const [tokens] = trainingTokens(model, { sequences: 1, length }, 0);
    const counted = new Float32Array(length + 1).fill(1 / length).fill(0, 0, 1);
    const batch = [{ tokens: tokens!, weights: counted }];
    ({ loss } = await engine.forwardBackward(batch, { kind: 'cross_entropy' }));
    ({ gradNorm } = await engine.optimStep({ learningRate: 1e-4 }));
  }
  await engine.close();
  return {
    tokens: samples.flatMap((sample) => [...sample.tokens]),
    logprobs: samples.flatMap((sample) => [...sample.logprobs]),
    loss,
    gradNorm,
  };
}

announce(`${model.name} with random weights, ${values.backend} beside onnx:cpu`);
const [there, here] = [await outcome(values.backend), await outcome('onnx:cpu')];
const gap = Math.max(...there.logprobs.map((x, i) => Math.abs(x - here.logprobs[i]!)));
function row(name: string, { tokens, logprobs, loss, gradNorm }: Outcome): string[] {
  return [name, tokens.join(' '), ...[logprobs[0]!, loss, gradNorm].map((x) => x.toFixed(6))];
}
printTable(
  ['', 'tokens', 'logprob of the first', 'loss', 'norm of the gradient'],
  [row(values.backend, there), row('onnx:cpu', here)],
);
console.log(`\nlargest difference of logprobs: ${gap.toExponential(1)} nats`);
