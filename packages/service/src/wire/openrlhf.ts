/**
 * OpenRLHF's remote reward (`--reward.remote_url`, earlier `--remote_rm_url`): lists of decoded samples,
 * prompts and labels in; a reward for each out. The client tries a refused request five times within
 * some seconds and then carries on without a reward, so that the server asks itself again for longer.
 * Protocol: `openrlhf/utils/agent.py` and `openrlhf/cli/serve_rm.py`.
 */
import { badRequest } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import { type Fields, isAbsent, list, object, text, texts } from './fields.ts';
import { verifyPatiently } from './patience.ts';
import { withoutPrompt, withoutSpecialTokens } from './response.ts';
import { rowOf } from './row.ts';
import { rewardsOf, undecidedReward } from './verdicts.ts';

/** The client waits three minutes for a reply. */
const PATIENCE_MS = 60_000;

export const openrlhfRoute: Route = {
  method: 'POST',
  path: '/get_reward',
  patient: true,
  describe: {
    operationId: 'openrlhfReward',
    summary: "OpenRLHF's remote reward",
    description:
      '`query`: prompt and response as decoded; `prompts`; `labels`: the right answer, tests, or a row in JSON. Where one row has no judgement the whole request fails: 503 where trying again may help, 422 where not.',
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
    responses: { 200: { description: '`rewards` and `scores` in the order of `query`' } },
  },
  async handle({ body, query, signal }, { verify }) {
    const undecided = undecidedReward(query);
    const rows = rowsIn(object(body, 'body'));
    const verdicts = await verifyPatiently(rows, verify, PATIENCE_MS, signal);
    const rewards = rewardsOf(verdicts, undecided, (i) => `labels.${i}`);
    return { body: { rewards, scores: rewards, extra_logs: {} } };
  },
};

function rowsIn(fields: Fields): readonly Fields[] {
  const queries = texts(fields.query, 'query');
  const prompts = isAbsent(fields.prompts) ? undefined : list(fields.prompts, 'prompts');
  const labels = list(fields.labels, 'labels');
  for (const [name, other] of Object.entries({ prompts, labels })) {
    if (other !== undefined && other.length !== queries.length) {
      const problem = `must be as long as query, which has ${queries.length} entries`;
      throw badRequest(name, problem, `${other.length} entries`);
    }
  }
  return queries.map((query, i) => {
    const prompt = prompts === undefined ? '' : text(prompts[i], `prompts.${i}`);
    const response = withoutSpecialTokens(withoutPrompt(query, prompt, `query.${i}`));
    return rowOf(response, labels[i], `labels.${i}`);
  });
}
