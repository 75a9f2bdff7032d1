/** `cipo convert`: writes any model that loads here as a folder that `transformers` loads. */
import { existsSync } from 'node:fs';
import { errorMessage } from '@cipo/support';
import { Command, Option } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { oneLine } from '../terminal/guest.ts';
import { shortPath } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';

const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;

interface ConvertFlags {
  readonly dtype: keyof typeof DTYPES;
}

const EXAMPLES = `
Examples:
  $ cipo convert some-model-Q8_0.gguf some-model
  $ cipo convert runs/latest/checkpoints/best trained --dtype bf16`;

export function convertCommand(): Command {
  return new Command('convert')
    .summary('write a model as a Hugging Face folder')
    .description(
      'Writes a model, for instance a GGUF file, as a Hugging Face folder: config.json, model.safetensors and the tokenizer.',
    )
    .argument('<model>', 'GGUF file or Hugging Face folder')
    .argument('<dir>', 'folder to write; it must not exist')
    .addOption(
      new Option('--dtype <type>', 'data type of the weights')
        .choices(Object.keys(DTYPES))
        .default('f32'),
    )
    .addHelpText('after', EXAMPLES)
    .action(convert);
}

async function convert(from: string, directory: string, { dtype }: ConvertFlags): Promise<void> {
  if (!existsSync(from)) throw new UserError(`There is no file or folder ${from}.`, EXIT.usage);
  if (existsSync(directory)) {
    throw new UserError(`${directory} already exists. Name another folder.`, EXIT.usage);
  }
  const { convertModel } = await import('@cipo/trainer');
  const meter = new Meter(process.stderr, 'tensor');
  try {
    await convertModel(from, directory, {
      type: DTYPES[dtype],
      onTensor: (done, total) => meter.update(done, total),
    });
  } catch (error) {
    throw new UserError(oneLine(errorMessage(error)), EXIT.failure, { cause: error });
  } finally {
    meter.close();
  }
  process.stdout.write(`The model is in ${shortPath(directory)}.\n`);
}
