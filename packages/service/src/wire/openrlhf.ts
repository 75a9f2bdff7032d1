/**
 * OpenRLHF's remote reward (`--reward.remote_url`, earlier `--remote_rm_url`). Request: lists of decoded samples, prompts
 * and labels. Reply: one reward for each sample. The client tries a refused request five times within seconds and then
 * continues without a reward, so the server retries for longer. Protocol: `openrlhf/utils/agent.py` and
 * `openrlhf/cli/serve_rm.py`.
 */
import type { UnknownRecord } from '@cipo/support';
import { badRequest } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { isAbsent, readList, readObject, readText, readTexts } from './fields.ts';
import { removePrompt, removeSpecialTokens } from './response.ts';
import { verifyWithRetries } from './retry.ts';
import { rowOf } from './row.ts';
import { readUndecidedReward, rewardsOf } from './verdicts.ts';

/** The client waits 180 s for a reply. */
const RETRY_MS = 60_000;

export const OPENRLHF_ROUTE: Route = {
  method: 'POST',
  path: '/get_reward',
  waitsWhenBusy: true,
  describe: {
    operationId: 'openrlhfReward',
    summary: "OpenRLHF's remote reward",
    description:
      '`query`: prompt and response, decoded. `prompts`: the prompts. `labels`: the reference answer, tests, or a row as JSON, for each query. If one row is not judged, the whole request fails: 503 if a retry may help, 422 if not.',
    parameters: [
      {
        name: 'undecided',
        in: 'query',
        schema: { type: 'number' },
        description: 'Reward of answers that are neither proved correct nor incorrect',
      },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['query', 'labels'],
            properties: {
              query: { type: 'array', items: { type: 'string' } },
              prompts: { type: 'array', items: { type: 'string' } },
              labels: { type: 'array' },
            },
          },
        },
      },
    },
    responses: { 200: { description: '`rewards` and `scores`, in the order of `query`' } },
  },
  async handle({ body, query, signal }, { verify }) {
    const undecided = readUndecidedReward(query);
    const rows = readRows(readObject(body, 'body'));
    const verdicts = await verifyWithRetries(rows, verify, RETRY_MS, signal);
    const rewards = rewardsOf(verdicts, undecided, (i) => `labels.${i}`);
    return { body: { rewards, scores: rewards, extra_logs: {} } };
  },
};

function readRows(fields: UnknownRecord): readonly UnknownRecord[] {
  const queries = readTexts(fields.query, 'query');
  const prompts = isAbsent(fields.prompts) ? undefined : readList(fields.prompts, 'prompts');
  const labels = readList(fields.labels, 'labels');
  for (const [name, list] of Object.entries({ prompts, labels })) {
    if (list !== undefined && list.length !== queries.length) {
      const problem = `must have as many entries as query, which has ${queries.length}`;
      throw badRequest(name, problem, `${list.length} entries`);
    }
  }
  return queries.map((query, i) => {
    const prompt = prompts === undefined ? '' : readText(prompts[i], `prompts.${i}`);
    const response = removeSpecialTokens(removePrompt(query, prompt, `query.${i}`));
    return rowOf(response, labels[i], `labels.${i}`);
  });
}
