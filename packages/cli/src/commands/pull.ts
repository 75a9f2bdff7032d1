/** `cipo pull`: a model from the hub into a folder. */
import { join } from 'node:path';
import { Command } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { megabytes } from '../terminal/format.ts';
import { oneLine } from '../terminal/guest.ts';
import { here } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';

interface PullFlags {
  readonly revision?: string;
  readonly to?: string;
  readonly file?: string;
  readonly hub?: string;
}

const EXAMPLES = `
Examples:
  $ cipo pull HuggingFaceTB/SmolLM2-135M-Instruct
  $ cipo train --model models/HuggingFaceTB/SmolLM2-135M-Instruct
  $ cipo pull Qwen/Qwen2.5-0.5B-Instruct --revision main --to qwen
  $ cipo pull owner/some-model-GGUF --file some-model-Q8_0.gguf

A download that broke off goes on where it was when the command is given again; every file is checked.
HF_TOKEN opens models that are private or want an agreement. HF_ENDPOINT names another hub, as --hub does.`;

export function pullCommand(): Command {
  return new Command('pull')
    .summary('fetch a model from the hub')
    .description(
      'Fetches what a model needs to be loaded, and nothing else: configuration, tokenizer, safetensors or one GGUF file.',
    )
    .argument('<model>', 'owner/name on the hub')
    .option('--revision <name>', 'branch, tag or commit (default main)')
    .option('--to <dir>', 'folder (default models/<owner>/<name>)')
    .option('--file <name>', 'a GGUF file of the repository, in place of the folder')
    .option('--hub <url>', 'another hub')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(id: string, flags: PullFlags): Promise<void> {
  const { pullModel } = await import('@cipo/engine/hub');
  const meter = new Meter(process.stderr, 'MB');
  using interrupt = listenForInterrupt(() => meter.close());
  const hubUrl = flags.hub ?? process.env.HF_ENDPOINT;
  const accessToken = process.env.HF_TOKEN;
  try {
    const pulled = await pullModel(id, {
      directory: flags.to ?? join('models', ...id.split('/')),
      signal: interrupt.signal,
      onProgress: ({ path, done, total }) =>
        meter.update(megabytes(done), megabytes(total), oneLine(path)),
      ...(flags.revision !== undefined && { revision: flags.revision }),
      ...(flags.file !== undefined && { file: flags.file }),
      ...(hubUrl && { hubUrl }),
      ...(accessToken && { accessToken }),
    });
    meter.close();
    const size = `${pulled.files.length} files, ${megabytes(pulled.bytes)} MB`;
    process.stdout.write(
      `${oneLine(id)} at ${pulled.revision.slice(0, 12)}: ${size}, in ${here(pulled.path)}\n` +
        `Train it with: cipo train --model ${here(pulled.path)}\n`,
    );
  } catch (error) {
    meter.close();
    if (interrupt.signal.aborted)
      throw new UserError('Stopped; the same command goes on from here.', EXIT.interrupted);
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(oneLine(message), EXIT.failure, { cause: error });
  }
}
