/**
 * Lays out conversations by a model's chat template, with `@huggingface/jinja`. The template is `chat_template.jinja`
 * if that file exists, else `chat_template` of tokenizer_config.json.
 * Leaves out: tools and documents in prompts.
 */
import { errorMessage } from '@cipo/support';
import type { Message } from '@cipo/verifier/types';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';
import { FileError } from '../errors.ts';

const namedTemplates = z.array(z.object({ name: z.string(), template: z.string() }));
/** The field `chat_template` of tokenizer_config.json: one template or several with names. */
export const templateField = z.union([z.string(), namedTemplates]).nullish();

/** Texts of the special tokens that templates use. */
export interface SpecialTexts {
  readonly bos: string;
  readonly eos: string;
  readonly pad: string;
  readonly unk: string;
}

/**
 * The text of a conversation up to the start of the next assistant turn.
 * @throws {FileError} if the template rejects it
 */
export type ChatLayout = (messages: readonly Message[]) => string;

/**
 * Templates of Llama 3 and Mistral print the date. Today's date would make runs of different days differ, so it is
 * always 26 July 2024: the date in Llama's templates if none is given.
 */
const DATE_PARTS: Readonly<Record<string, string>> = {
  '%d': '26',
  '%m': '07',
  '%b': 'Jul',
  '%B': 'July',
  '%Y': '2024',
  '%y': '24',
  '%A': 'Friday',
  '%a': 'Fri',
  '%H': '00',
  '%M': '00',
  '%S': '00',
};

/**
 * @param name folder or file of the template, for error messages
 * @throws {FileError} if the template cannot be parsed; a missing template only throws when it is used
 */
export function chatLayout(
  field: z.output<typeof templateField>,
  texts: SpecialTexts,
  name: string,
): ChatLayout {
  const source = typeof field === 'string' ? field : defaultTemplate(field ?? [], name);
  if (source === undefined) {
    return () => {
      throw new FileError(
        `${name}: no chat template, so the layout of prompts is unknown; for a base model, add one as chat_template.jinja`,
      );
    };
  }
  const template = nameErrors(name, () => new Template(withFixedDate(source)));
  return (messages) =>
    nameErrors(name, () =>
      template.render({
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: true,
        bos_token: texts.bos,
        eos_token: texts.eos,
        pad_token: texts.pad,
        unk_token: texts.unk,
        date_string: formatFixedDate('%d %b %Y'),
        fixed_date: formatFixedDate,
      }),
    );
}

/** Replaces the library's own `strftime_now`, which cannot be overridden. */
function withFixedDate(source: string): string {
  return source.replaceAll(/\bstrftime_now\b/g, 'fixed_date');
}

function formatFixedDate(format: string): string {
  return format.replaceAll(/%[a-zA-Z]/g, (code) => DATE_PARTS[code] ?? code);
}

function defaultTemplate(
  templates: z.output<typeof namedTemplates>,
  name: string,
): string | undefined {
  const found = templates.find((template) => template.name === 'default');
  if (templates.length > 0 && !found) {
    const names = templates.map((template) => template.name).join(', ');
    throw new FileError(`${name}: expected a chat template named default, got ${names}`);
  }
  return found?.template;
}

function nameErrors<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new FileError(`${name}: chat template: ${errorMessage(cause)}`, { cause });
  }
}
