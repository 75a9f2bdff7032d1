/** Generates docs/reference/configuration.md from the schema and the presets. Pure. */
import { presets } from '@cipo/trainer/presets';
import { flattenSettings } from './layers.ts';
import { describeAllowed, type SchemaNode, trainSchema } from './schema.ts';

const INTRODUCTION = `# Configuration

Generated from the schema by \`node packages/cli/scripts/configuration-docs.ts\`; a test keeps it current. Edit
\`packages/trainer/src/config.ts\` instead.

Later settings override earlier ones: **defaults < preset < YAML file < flags**. Groups merge key by key; lists and
values replace. Any key can be set on the command line: \`--set rollout.prompts=16\`. An unknown key or an invalid value
stops the command with exit code 2 and a message that names the line, the key, what is expected and what was received.

\`\`\`yaml
preset: cipo
steps: 200
rollout:
  prompts: 16
optimizer:
  learningRate: 5e-5
\`\`\`

Sources of a setting: [P] pages that describe the paper, [A] a reimplementation that attributes it to the paper, [O] our
own choice; see [cipo.md](../design/cipo.md).
`;

/** The whole page. */
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
      `| \`${path}\` | ${describeAllowed(node)} | ${formatDefault(node)} | ${escapeCell(node.description ?? '')} |`,
  );
  return `${['| key | allowed | default | meaning |', '|---|---|---|---|', ...lines].join('\n')}\n`;
}

function formatDefault(node: SchemaNode): string {
  return node.default === undefined ? 'absent' : `\`${JSON.stringify(node.default)}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function presetSection(): string {
  const rows = Object.entries(presets).map(([name, value]) => {
    const keys = flattenSettings({ ...value }).map(
      ([path, child]) => `\`${path}: ${JSON.stringify(child)}\``,
    );
    return `| \`${name}\` | ${keys.length === 0 ? 'the defaults' : keys.join('<br>')} |`;
  });
  return `## Presets\n\nA preset sets a few options over the defaults; all presets run the same loop.\n\n${['| preset | sets |', '|---|---|', ...rows].join('\n')}\n`;
}
