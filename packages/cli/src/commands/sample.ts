/** `cipo sample`: prints what a model generates for a prompt. A single response is printed token by token. */
import { text as readAll } from 'node:stream/consumers';
import type { DrawnToken, Sample, SamplingOptions, TokenIds } from '@cipo/engine';
import { mean } from '@cipo/support';
import type { Policy } from '@cipo/trainer';
import { Command, InvalidArgumentError } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { resolveModelConfig } from '../run/model.ts';
import { plural } from '../terminal/format.ts';
import { visibleLines } from '../terminal/guest.ts';
import { styleOf } from '../terminal/style.ts';
import { collect, numberWhere, wholeNumber, withSettings } from './options.ts';

interface SampleFlags extends SettingFlags {
  readonly prompt?: readonly string[];
  readonly number: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly maxTokens?: number;
  readonly stop?: readonly string[];
  readonly raw?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  $ cipo sample --prompt '18,*5,+2,+2'                             the shipped warm start
  $ cipo sample models/smollm2 --prompt 'What is 12 times 7?' -n 4 --temperature 0.7
  $ cipo sample runs/latest --prompt 'f(1..6)=2,4,6,8,10,12'       the best policy of a run
  $ cipo sample models/smollm2 --raw --prompt 'Once upon a time' --top-p 0.9 --stop '.'
  $ cat question.txt | cipo sample models/smollm2 --json           one prompt: all of standard input

--json prints one line per response: prompt, index, text, stop, tokens, logprobs.`;

const DEFAULT_MAX_TOKENS = 256;

export function sampleCommand(): Command {
  const command = new Command('sample')
    .summary('print what a model generates for a prompt')
    .description(
      'Samples responses to a prompt. The chat template of the model is applied unless --raw is given.',
    )
    .argument(
      '[model]',
      'folder of a model or of a run, or a GGUF file (default: the shipped warm start)',
    )
    .option('--prompt <text>', 'prompt; repeatable (default: standard input)', collectPrompt)
    .option('-n, --number <n>', 'responses per prompt', wholeNumber(1), 1);
  return withSettings(withSampling(command))
    .option('--json', 'print JSON Lines')
    .addHelpText('after', EXAMPLES)
    .action(samplePolicy);
}

function withSampling(command: Command): Command {
  const temperature = numberWhere((t) => t >= 0, 'a number of at least 0');
  const topP = numberWhere((p) => p > 0 && p <= 1, 'a number above 0 and of at most 1');
  const minP = numberWhere((p) => p >= 0 && p <= 1, 'a number from 0 to 1');
  return command
    .option('--temperature <t>', 'sampling temperature; 0 is greedy', temperature, 1)
    .option('--top-k <k>', 'sample from the k most likely tokens; 0: from all', wholeNumber(0), 0)
    .option('--top-p <p>', 'sample from the smallest set with this probability', topP, 1)
    .option(
      '--min-p <p>',
      'sample from tokens with at least this fraction of the highest probability',
      minP,
      0,
    )
    .option(
      '--max-tokens <n>',
      `maximum tokens per response (default ${DEFAULT_MAX_TOKENS}, or what fits)`,
      wholeNumber(1),
    )
    .option('--stop <text>', 'text that ends a response; repeatable', collect)
    .option('--raw', 'continue the prompt as it is, without the chat template');
}

function collectPrompt(text: string, before: readonly string[] = []): string[] {
  if (text === '') throw new InvalidArgumentError('Expected text, got an empty prompt.');
  return [...before, text];
}

async function samplePolicy(model: string | undefined, flags: SampleFlags): Promise<void> {
  const { openPolicy, WARM_START } = await import('@cipo/trainer');
  const { number: _, prompt, ...settings } = flags;
  const config = await resolveModelConfig(model, settings);
  const texts = prompt ?? [await readPrompt()];
  const policy = await openPolicy(config.model ?? WARM_START, config, false);
  using interrupt = listenForInterrupt(() => {});
  try {
    const prompts = texts.map((text) => encodePrompt(policy, text, flags.raw === true));
    const options = { ...samplingOptions(policy, prompts, flags), seed: config.seed };
    const isStreamed = !flags.json && texts.length === 1 && flags.number === 1;
    const samples = await policy.engine.sample(prompts, {
      ...options,
      signal: interrupt.signal,
      ...(isStreamed && { onToken: tokenPrinter(policy) }),
    });
    if (isStreamed) process.stdout.write('\n');
    else if (flags.json) printJson(policy, texts, samples);
    else printSamples(policy, texts, samples);
  } catch (error) {
    if (interrupt.signal.aborted) throw new UserError('Stopped.', EXIT.interrupted);
    throw error;
  } finally {
    await policy.engine.close();
  }
}

async function readPrompt(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new UserError('Give a prompt: --prompt TEXT, or text on standard input.', EXIT.usage);
  }
  const text = (await readAll(process.stdin)).trimEnd();
  if (text === '') throw new UserError('The prompt on standard input is empty.', EXIT.usage);
  return text;
}

function encodePrompt({ tokenizer }: Policy, text: string, raw: boolean): TokenIds {
  const tokens = raw
    ? tokenizer.encode(text)
    : tokenizer.renderChat([{ role: 'user', content: text }]);
  if (tokens.length === 0) throw new UserError('The prompt has no tokens.', EXIT.usage);
  return tokens;
}

function samplingOptions(
  { engine, tokenizer }: Policy,
  prompts: readonly TokenIds[],
  flags: SampleFlags,
): Omit<SamplingOptions, 'seed'> {
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  const free = engine.maxLength - longest;
  if (free < 1) {
    throw new UserError(
      `The prompt is too long: expected fewer than ${engine.maxLength} tokens, the context of the model, got ${longest}.`,
    );
  }
  const { number: groupSize, temperature, topK, topP, minP, stop: stopStrings = [] } = flags;
  const maxTokens = flags.maxTokens ?? Math.min(DEFAULT_MAX_TOKENS, free);
  const decode = tokenizer.decode.bind(tokenizer);
  return { groupSize, maxTokens, temperature, topK, topP, minP, stopStrings, decode };
}

/** Prints text as soon as its tokens form whole characters. */
function tokenPrinter({ tokenizer }: Policy): (token: DrawnToken) => void {
  const stream = tokenizer.stream();
  const print = (text: string) => process.stdout.write(visibleLines(text).join('\n'));
  return ({ token, stop }) => {
    print(stream.push(token));
    if (stop) print(stream.end());
  };
}

function printJson(policy: Policy, prompts: readonly string[], samples: readonly Sample[][]): void {
  for (const [b, group] of samples.entries()) {
    for (const [index, { tokens, logprobs, stop }] of group.entries()) {
      const text = policy.tokenizer.decode(tokens);
      const row = { prompt: prompts[b], index, text, stop, tokens: [...tokens] };
      process.stdout.write(`${JSON.stringify({ ...row, logprobs: [...logprobs] })}\n`);
    }
  }
}

const STOP_REASONS = { end: 'ended', stop: 'stop text', length: 'cut off' } as const;

function printSamples(
  { tokenizer }: Policy,
  prompts: readonly string[],
  samples: readonly Sample[][],
): void {
  const style = styleOf(process.stdout);
  for (const [b, group] of samples.entries()) {
    if (prompts.length > 1) {
      process.stdout.write(`${style.bold(visibleLines(prompts[b] ?? '').join('\n'))}\n`);
    }
    for (const [g, { tokens, logprobs, stop }] of group.entries()) {
      const nats = mean([...logprobs]).toFixed(2);
      const facts = `${g + 1} of ${group.length}: ${plural(tokens.length, 'token')}, ${STOP_REASONS[stop]}, ${nats} nats per token`;
      const text = visibleLines(tokenizer.decode(tokens)).join('\n');
      process.stdout.write(`${style.dim(`── ${facts}`)}\n${text}\n`);
    }
  }
}
