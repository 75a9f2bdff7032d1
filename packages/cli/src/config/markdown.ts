/** docs/reference/configuration.md as text, made from the schema and the presets. Pure. */
import { presets } from '@cipo/trainer/presets';
import { isSettings, type Settings } from './layers.ts';
import { allowed, type SchemaNode, trainSchema } from './schema.ts';

const INTRODUCTION = `# Configuration

Made from the schema by \`node packages/cli/scripts/configuration-docs.ts\`; a test keeps it current. Edit
\`packages/trainer/src/config.ts\` instead.

Settings are laid over each other, later ones winning: **defaults < preset < YAML file < flags**. Groups merge key by
key; lists and values replace. Any key can be set on the command line: \`--set rollout.prompts=16\`. An unknown key or
a value that does not fit stops the command with exit code 2 and a message that names the line, the key, what was
received and what is allowed.

\`\`\`yaml
preset: cipo
steps: 200
rollout:
  prompts: 16
optimizer:
  learningRate: 5e-5
\`\`\`

Marks: [P] from pages that describe the paper, [A] attributed to it by a reimplementation, [O] our own choice;
see [cipo.md](../design/cipo.md).
`;

export function configurationMarkdown(): string {
  const groups = Object.entries(trainSchema.root.properties ?? {});
  const plain = groups.filter(([, node]) => !node.properties);
  const nested = groups.filter(([, node]) => node.properties);
  return [
    INTRODUCTION,
    '## The run\n',
    table(plain),
    ...nested.map(([key, node]) => section(key, node)),
    presetSection(),
  ].join('\n');
}

function section(path: string, node: SchemaNode): string {
  const rows = leaves(node, path);
  return `## \`${path}\`: ${node.description}\n\n${table(rows)}`;
}

function leaves(node: SchemaNode, prefix: string): [string, SchemaNode][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]): [string, SchemaNode][] =>
    child.properties ? leaves(child, `${prefix}.${key}`) : [[`${prefix}.${key}`, child]],
  );
}

function table(rows: readonly (readonly [string, SchemaNode])[]): string {
  const lines = rows.map(
    ([path, node]) =>
      `| \`${path}\` | ${allowed(node)} | ${standard(node)} | ${cell(node.description ?? '')} |`,
  );
  return `${['| key | allowed | default | meaning |', '|---|---|---|---|', ...lines].join('\n')}\n`;
}

function standard(node: SchemaNode): string {
  return node.default === undefined ? 'absent' : `\`${JSON.stringify(node.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function presetSection(): string {
  const rows = Object.entries(presets).map(([name, value]) => {
    const keys = settings({ ...value }).map(
      ([path, child]) => `\`${path}: ${JSON.stringify(child)}\``,
    );
    return `| \`${name}\` | ${keys.length === 0 ? 'the defaults' : keys.join('<br>')} |`;
  });
  return `## Presets\n\nEach is a small set of options over the defaults, never a fork of the loop.\n\n${['| preset | sets |', '|---|---|', ...rows].join('\n')}\n`;
}

function settings(value: Settings, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, child]): [string, unknown][] =>
    isSettings(child) ? settings(child, `${prefix}${key}.`) : [[`${prefix}${key}`, child]],
  );
}
