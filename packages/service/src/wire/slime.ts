/**
 * slime's remote reward (`--rm-type remote_rm --rm-url`). Request: one sample. Reply: the reward as JSON. The client tries
 * a refused request ten times and then stops the rollout. Protocol: `slime/rollout/rm_hub/__init__.py`.
 */
import { badRequest } from '../http/problem.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { RowVerdict } from '../judge.ts';
import { readObject, readText } from './fields.ts';
import { removeSpecialTokens } from './response.ts';
import { rowOf } from './row.ts';
import { readUndecidedReward, rewardsOf } from './verdicts.ts';

export const SLIME_ROUTE: Route = {
  method: 'POST',
  path: '/slime/rm',
  describe: {
    operationId: 'slimeReward',
    summary: "slime's remote reward",
    description:
      'The reply is the bare reward. With `?reward_key=NAME`, for `--reward-key NAME`, it is an object with the reward under that name and the `status`. A sample that was not judged fails: 503 if a retry may help, 422 if not.',
    parameters: [
      {
        name: 'reward_key',
        in: 'query',
        schema: { type: 'string' },
        description: 'Reply with an object that has the reward under this name',
      },
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
            required: ['response', 'label'],
            properties: {
              prompt: { description: 'String or messages; ignored' },
              response: { type: 'string' },
              label: { description: 'The reference answer, tests, or a row as JSON' },
            },
          },
        },
      },
    },
    responses: { 200: { description: 'The reward' } },
  },
  async handle({ body, query }, { verify }) {
    const undecided = readUndecidedReward(query);
    const { response, label } = readObject(body, 'body');
    const text = removeSpecialTokens(readText(response, 'response'));
    const [verdict] = await verify([rowOf(text, label, 'label')]);
    const [reward] = rewardsOf([verdict!], undecided, () => 'label');
    return formatReply(query, verdict!, reward!);
  },
};

const RESERVED_KEYS = new Set(['status', '__proto__']);

function formatReply(query: RouteRequest['query'], { status }: RowVerdict, reward: number): Reply {
  const key = query.get('reward_key');
  if (key === undefined) return { body: reward };
  if (key === '' || RESERVED_KEYS.has(key)) {
    throw badRequest('reward_key', 'must be a name other than status', key);
  }
  return { body: { [key]: reward, status } };
}
