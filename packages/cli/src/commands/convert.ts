/** `cipo convert`: a model that loads here, written as the folder that `transformers` loads. */
import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { EXIT, UserError } from '../errors.ts';
import { oneLine } from '../terminal/guest.ts';
import { here } from '../terminal/lines.ts';
import { Meter } from '../terminal/meter.ts';

const TYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
interface ConvertFlags {
  readonly dtype: keyof typeof TYPES;
}

const EXAMPLES = `
Examples:
  $ cipo convert some-model-Q8_0.gguf some-model
  $ cipo convert runs/latest/checkpoints/best trained --dtype bf16`;

export function convertCommand(): Command {
  return new Command('convert')
    .summary('write a model as a Hugging Face folder')
    .description(
      'Writes a model, a GGUF file for instance, as a Hugging Face folder: config.json, model.safetensors and the tokenizer.',
    )
    .argument('<model>', 'GGUF file or Hugging Face folder')
    .argument('<dir>', 'folder to write; it must not be there yet')
    .addOption(
      new Option('--dtype <type>', 'type of the weights')
        .choices(Object.keys(TYPES))
        .default('f32'),
    )
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(from: string, directory: string, { dtype }: ConvertFlags): Promise<void> {
  if (!existsSync(from)) throw new UserError(`There is nothing at ${from}.`, EXIT.usage);
  if (existsSync(directory))
    throw new UserError(`${directory} is there already. Name another folder.`, EXIT.usage);
  const { convertModel } = await import('@cipo/trainer');
  const meter = new Meter(process.stderr, 'tensor');
  try {
    await convertModel(from, directory, {
      type: TYPES[dtype],
      onTensor: (done, total) => meter.update(done, total),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(oneLine(message), EXIT.failure, { cause: error });
  } finally {
    meter.close();
  }
  process.stdout.write(`The model is in ${here(directory)}.\n`);
}
