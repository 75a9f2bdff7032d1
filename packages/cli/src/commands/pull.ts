/** `cipo pull`: downloads a model from the hub into a folder. */
import { join } from 'node:path';
import { errorMessage } from '@cipo/support';
import { Command } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { listenForInterrupt } from '../run/interrupt.ts';
import { isHubId } from '../run/model.ts';
import { megabytes, plural } from '../terminal/format.ts';
import { oneLine } from '../terminal/guest.ts';
import { shortPath } from '../terminal/lines.ts';
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

The same command resumes an interrupted download. The hash of every file is checked.
HF_TOKEN gives access to private and gated models. HF_ENDPOINT names another hub, like --hub.`;

export function pullCommand(): Command {
  return new Command('pull')
    .summary('download a model from the hub')
    .description(
      'Downloads only the files that a model needs to load: configuration, tokenizer, and safetensors or one GGUF file.',
    )
    .argument('<model>', 'owner/name on the hub')
    .option('--revision <name>', 'branch, tag or commit (default main)')
    .option('--to <dir>', 'folder (default models/<owner>/<name>)')
    .option('--file <name>', 'one GGUF file of the repository, instead of safetensors')
    .option('--hub <url>', 'address of another hub')
    .addHelpText('after', EXAMPLES)
    .action(pull);
}

async function pull(id: string, flags: PullFlags): Promise<void> {
  if (!isHubId(id)) {
    throw new UserError(
      `Expected a model as owner/name, got "${oneLine(id)}", as in cipo pull HuggingFaceTB/SmolLM2-135M-Instruct.`,
      EXIT.usage,
    );
  }
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
    const size = `${plural(pulled.files.length, 'file')}, ${megabytes(pulled.bytes)} MB`;
    process.stdout.write(
      `${id} at ${pulled.revision.slice(0, 12)}: ${size}, in ${shortPath(pulled.path)}\n` +
        `Train it with: cipo train --model ${shortPath(pulled.path)}\n`,
    );
  } catch (error) {
    meter.close();
    if (interrupt.signal.aborted) {
      throw new UserError('Stopped. The same command continues the download.', EXIT.interrupted);
    }
    throw new UserError(oneLine(errorMessage(error)), EXIT.failure, { cause: error });
  }
}
