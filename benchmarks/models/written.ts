/**
 * Checks that transformers loads saved models with the same logits: each tiny model of datasets/models is loaded and
 * saved by the engine, loaded by transformers, and compared with PyTorch's results of the original. Needs the Python of
 * setup-peer.sh. Usage: node benchmarks/models/written.ts
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadLocalEngine } from '../../packages/engine/src/index.ts';
import { relativeError } from '../../packages/engine/src/testing/data.ts';
import { readSafetensors } from '../../packages/engine/src/weights/safetensors.ts';
import { printTable } from '../engine/common.ts';
import { Peer } from '../engine/peer.ts';

const root = fileURLToPath(new URL('../../datasets/models/fixtures/parity', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'cipo-written-'));
const peer = new Peer('./peer_models.py', 1);
const rows: string[][] = [];
try {
  for (const name of readdirSync(root)) {
    const { tensors } = await readSafetensors(join(root, name, 'expected.safetensors'));
    const [length, vocabulary] = tensors.logits!.shape.slice(1);
    const [model, out] = [join(scratch, name), join(scratch, `${name}.safetensors`)];
    const engine = await loadLocalEngine(join(root, name), { threads: 1 });
    await engine.save(model, { weightsOnly: true });
    await engine.close();
    const tokens = [...tensors.tokens!.data.subarray(0, length)];
    await peer.ask({ do: 'score', model, tokens, out, threads: 1 });
    const found = (await readSafetensors(out)).tensors.logits!.data;
    const expected = tensors.logits!.data.subarray(0, length! * vocabulary!);
    rows.push([name, relativeError(found, expected).toExponential(1)]);
  }
} finally {
  peer.close();
  rmSync(scratch, { recursive: true, force: true });
}
printTable(['saved here, loaded by transformers', 'logits, largest difference over largest'], rows);
