/**
 * A model's chat layout, by `@huggingface/jinja`: `chat_template.jinja` where there is one, else `chat_template` of
 * tokenizer_config.json. Leaves out: tools and documents in prompts.
 */
import type { Message } from '@cipo/verifier/types';
import { Template } from '@huggingface/jinja';
import { z } from 'zod';

const named = z.array(z.object({ name: z.string(), template: z.string() }));
export const templateField = z.union([z.string(), named]).nullish();

export interface SpecialTexts {
  readonly bos: string;
  readonly eos: string;
  readonly pad: string;
  readonly unk: string;
}

/** The text of a conversation up to where the assistant is to speak. @throws where the messages do not fit the layout */
export type ChatLayout = (messages: readonly Message[]) => string;

/**
 * @param name where it came from, for messages
 * @throws where the template cannot be read; a missing one only when it is wanted
 */
export function chatLayout(
  field: z.output<typeof templateField>,
  texts: SpecialTexts,
  name: string,
): ChatLayout {
  const source = typeof field === 'string' ? field : defaultOf(field ?? [], name);
  if (source === undefined)
    return () => {
      throw new Error(
        `${name}: no chat template, so it is not known how this model is asked; a base model needs one in chat_template.jinja`,
      );
    };
  const template = explained(name, () => new Template(withFixedDate(source)));
  return (messages) =>
    explained(name, () =>
      template.render({
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: true,
        bos_token: texts.bos,
        eos_token: texts.eos,
        pad_token: texts.pad,
        unk_token: texts.unk,
        date_string: dateIn('%d %b %Y'),
        fixed_date: dateIn,
      }),
    );
}

/**
 * Layouts of Llama 3 and Mistral tell the date. With today's, a run of tomorrow would not repeat this one: it is always
 * 26 July 2024, which Llama's own say where no date is given.
 */
const withFixedDate = (source: string): string =>
  source.replaceAll(/\bstrftime_now\b/g, 'fixed_date'); // the library's own cannot be replaced
const dateIn = (format: string): string =>
  format.replaceAll(/%[a-zA-Z]/g, (code) => dateParts[code] ?? code);

const dateParts: Readonly<Record<string, string>> = {
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

function defaultOf(templates: z.output<typeof named>, name: string): string | undefined {
  const found = templates.find((template) => template.name === 'default');
  if (templates.length > 0 && !found)
    throw new Error(
      `${name}: chat templates ${templates.map((t) => t.name).join(', ')}, none is named default`,
    );
  return found?.template;
}

function explained<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${name}: chat template: ${reason}`, { cause });
  }
}
