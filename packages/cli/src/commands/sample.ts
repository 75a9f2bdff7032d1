/** `cipo sample`: what a model answers, to look at. One completion is shown while it is written. */
import { text as readAll } from 'node:stream/consumers';
import type { DrawnToken, Policy, Sample, SamplingOptions, TokenIds } from '@cipo/trainer';
import { Command, InvalidArgumentError } from 'commander';
import type { SettingFlags } from '../config/flags.ts';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { visibleLines } from '../terminal/guest.ts';
import { styleOf } from '../terminal/style.ts';
import { configOf } from './eval.ts';
import { collect, withSettings } from './options.ts';

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
  $ cipo sample runs/latest --prompt 'f(1..6)=2,4,6,8,10,12'       a run's best policy
  $ cipo sample models/smollm2 --raw --prompt 'Once upon a time' --top-p 0.9 --stop '.'
  $ cat questions.txt | cipo sample models/smollm2 --json          one prompt, all of standard input

--json prints a line for each completion: prompt, index, text, tokens, logprobs, stop.`;

const defaultMaxTokens = 256;

/** A flag's number. The engine's own checks say what it must be beyond that. */
function number(written: string): number {
  const value = Number(written);
  if (written.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('It must be a number.');
  return value;
}

export function sampleCommand(): Command {
  const command = new Command('sample')
    .summary('see what a model answers')
    .description(
      'Samples answers to a prompt, which is laid out by the chat template of the model.',
    )
    .argument(
      '[model]',
      'folder of a model or of a run, or a GGUF file (default: the shipped warm start)',
    )
    .option('--prompt <text>', 'what is asked; repeatable; absent: standard input', collect)
    .option('-n, --number <n>', 'answers to each prompt', number, 1)
    .option('--temperature <t>', '0 takes the likeliest token always', number, 1)
    .option('--top-k <k>', 'sample from the k likeliest tokens; 0: from all', number, 0)
    .option('--top-p <p>', 'sample from the smallest set with this much probability', number, 1)
    .option(
      '--min-p <p>',
      'sample from tokens this many times as likely as the likeliest',
      number,
      0,
    )
    .option(
      '--max-tokens <n>',
      `most tokens of an answer (default ${defaultMaxTokens}, or what fits)`,
      number,
    )
    .option('--stop <text>', 'text that ends an answer; repeatable', collect)
    .option('--raw', 'continue the prompt as it is, without the chat template')
    .option('--json', 'print JSON Lines');
  return withSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (model: string | undefined, flags: SampleFlags) => {
      await run(model, flags);
    });
}

async function run(model: string | undefined, flags: SampleFlags): Promise<void> {
  const { openPolicy, WARM_START } = await import('@cipo/trainer');
  const { number: _, prompt, ...settings } = flags;
  const config = await configOf(model, settings);
  const texts = prompt ?? [await fromInput()];
  const policy = await openPolicy(config.model ?? WARM_START, config, false);
  using interrupt = listenForInterrupt(() => {});
  try {
    const asked = texts.map((text) => promptOf(policy, text, flags.raw === true));
    const options = { ...samplingOptions(policy, asked, flags), seed: config.seed };
    const streams = !flags.json && texts.length === 1 && flags.number === 1;
    const watched = { ...options, signal: interrupt.signal, ...(streams && writing(policy)) };
    const samples = await policy.engine.sample(asked, watched);
    if (streams) process.stdout.write('\n');
    else if (flags.json) printJson(policy, texts, samples);
    else printSamples(policy, texts, samples);
  } catch (error) {
    if (interrupt.signal.aborted) throw new UserError('Stopped.', EXIT.interrupted);
    throw error;
  } finally {
    await policy.engine.close();
  }
}

async function fromInput(): Promise<string> {
  if (process.stdin.isTTY)
    throw new UserError('Give a prompt: --prompt TEXT, or text on standard input.', EXIT.usage);
  return (await readAll(process.stdin)).trimEnd();
}

function promptOf({ tokenizer }: Policy, text: string, raw: boolean): TokenIds {
  const tokens = raw
    ? tokenizer.encode(text)
    : tokenizer.renderChat([{ role: 'user', content: text }]);
  if (tokens.length === 0) throw new UserError('The prompt is empty.', EXIT.usage);
  return tokens;
}

function samplingOptions(
  { engine, tokenizer }: Policy,
  prompts: readonly TokenIds[],
  flags: SampleFlags,
): Omit<SamplingOptions, 'seed'> {
  const room = engine.maxLength - Math.max(...prompts.map((prompt) => prompt.length));
  if (room < 1)
    throw new UserError(`The prompt leaves no room: the model holds ${engine.maxLength} tokens.`);
  const { number: groupSize, temperature, topK, topP, minP, stop: stopStrings = [] } = flags;
  const maxTokens = flags.maxTokens ?? Math.min(defaultMaxTokens, room);
  const decode = tokenizer.decode.bind(tokenizer);
  return { groupSize, maxTokens, temperature, topK, topP, minP, stopStrings, decode };
}

/** Writes text to standard output as soon as its tokens make whole characters. */
function writing({ tokenizer }: Policy): Pick<SamplingOptions, 'onToken'> {
  const stream = tokenizer.stream();
  const write = (text: string) => process.stdout.write(visibleLines(text).join('\n'));
  const onToken = ({ token, stop }: DrawnToken) => {
    write(stream.push(token));
    if (stop) write(stream.end());
  };
  return { onToken };
}

function printJson(policy: Policy, prompts: readonly string[], samples: readonly Sample[][]): void {
  for (const [b, group] of samples.entries())
    for (const [index, { tokens, logprobs, stop }] of group.entries()) {
      const text = policy.tokenizer.decode(tokens);
      const row = { prompt: prompts[b], index, text, stop, tokens: [...tokens] };
      process.stdout.write(`${JSON.stringify({ ...row, logprobs: [...logprobs] })}\n`);
    }
}

function printSamples(
  { tokenizer }: Policy,
  prompts: readonly string[],
  samples: readonly Sample[][],
): void {
  const style = styleOf(process.stdout);
  for (const [b, group] of samples.entries()) {
    if (prompts.length > 1)
      process.stdout.write(`${style.bold(visibleLines(prompts[b] ?? '').join('\n'))}\n`);
    for (const [g, { tokens, logprobs, stop }] of group.entries()) {
      const mean = logprobs.reduce((sum, x) => sum + x, 0) / logprobs.length;
      const facts = `${g + 1} of ${group.length}: ${tokens.length} tokens, ${ENDS[stop]}, ${mean.toFixed(2)} nats a token`;
      const text = visibleLines(tokenizer.decode(tokens)).join('\n');
      process.stdout.write(`${style.dim(`── ${facts}`)}\n${text}\n`);
    }
  }
}

const ENDS = { end: 'ended by itself', stop: 'at a stop text', length: 'cut off' } as const;
