/**
 * Measures the time and memory of loading a model: the process before, and at its peak, beside the size of the weights.
 * Usage: node benchmarks/models/loading.ts MODEL    (a folder or a GGUF file)
 */
import { loadLocalEngine } from '../../packages/engine/src/index.ts';
import { printTable } from '../engine/common.ts';

const [model] = process.argv.slice(2);
if (model === undefined) throw new Error('name a folder or a GGUF file');
function megabytes(bytes: number) {
  return `${Math.round(bytes / 1e6)}`;
}
const before = process.memoryUsage.rss();
const began = performance.now();
const engine = await loadLocalEngine(model, { threads: 1 });
const seconds = (performance.now() - began) / 1000;
const weights = 4 * engine.parameterCount;
await engine.close();
printTable(
  ['seconds', 'MB of float32 weights', 'MB of the process before', 'MB at its peak'],
  [
    [
      seconds.toFixed(1),
      megabytes(weights),
      megabytes(before),
      megabytes(process.resourceUsage().maxRSS * 1024),
    ],
  ],
);
