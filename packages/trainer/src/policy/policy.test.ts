import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel } from '@cipo/engine';
import { afterAll, expect, test } from 'vitest';
import { trainConfig } from '../config.ts';
import { openPolicy, savePolicy } from './policy.ts';

const fixtures = fileURLToPath(new URL('../../../../datasets/models/fixtures', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'cipo-policy-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const config = trainConfig.parse({ engine: { threads: 1 } });

/** A tiny model with 32 tokens, and a tokenizer of these tokens. */
function folderOf(name: string): string {
  const folder = join(scratch, name);
  cpSync(join(fixtures, 'parity', name), folder, { recursive: true });
  const from = join(fixtures, 'tokenizers', 'gpt2');
  const json = JSON.parse(readFileSync(join(from, 'tokenizer.json'), 'utf8'));
  const words = Object.entries<number>(json.model.vocab).filter(([, id]) => id < 32);
  const model = { ...json.model, vocab: Object.fromEntries(words), merges: [] };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, model }));
  const settings = JSON.parse(readFileSync(join(from, 'tokenizer_config.json'), 'utf8'));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'chat_template.jinja'), '{{ messages[0].content }}');
  return folder;
}

test('a saved policy has every file that opening needs, and is the same policy when opened again', async () => {
  const folder = folderOf('qwen3');
  const generation = { eos_token_id: [1, 2], do_sample: true, temperature: 0.6 };
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(generation));
  const policy = await openPolicy(folder, config);
  const target = join(scratch, 'saved');
  await savePolicy(policy, target, { weightsOnly: true });
  await policy.engine.close();
  expect(readdirSync(target).sort()).toEqual([
    'chat_template.jinja',
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  expect(await readModel(target)).toEqual(await readModel(folder));
  expect(JSON.parse(readFileSync(join(target, 'generation_config.json'), 'utf8'))).toEqual(
    generation,
  );
  const again = await openPolicy(target, config);
  const question = [{ role: 'user' as const, content: '!"#' }];
  expect(again.tokenizer.renderChat(question)).toEqual(policy.tokenizer.renderChat(question));
  await again.engine.close();
});

test('a model without an end token, a missing model and one smaller than its tokenizer are refused with their path', async () => {
  const folder = folderOf('llama');
  const path = join(folder, 'config.json');
  const { eos_token_id: _, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(rest));
  rmSync(join(folder, 'generation_config.json'));
  await expect(openPolicy(folder, config)).rejects.toThrow(`${folder}: no eos_token_id in`);
  await expect(openPolicy(join(scratch, 'nowhere'), config)).rejects.toThrow(
    'Name a Hugging Face folder or a GGUF file',
  );
  const wide = folderOf('mistral');
  cpSync(join(fixtures, 'tokenizers', 'gpt2', 'tokenizer.json'), join(wide, 'tokenizer.json'));
  await expect(openPolicy(wide, config)).rejects.toThrow('tokens, the model only 32');
});
