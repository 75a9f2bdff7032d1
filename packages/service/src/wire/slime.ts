/**
 * slime's remote reward (`--rm-type remote_rm --rm-url`): one sample in; the reply's JSON is the reward.
 * The client tries a refused request ten times and then stops the rollout.
 * Protocol: `slime/rollout/rm_hub/__init__.py`.
 */
import { badRequest } from '../http/problem.ts';
import type { Reply, Route, RouteRequest } from '../http/route.ts';
import type { RowVerdict } from '../judge.ts';
import { object, text } from './fields.ts';
import { withoutSpecialTokens } from './response.ts';
import { rowOf } from './row.ts';
import { rewardsOf, undecidedReward } from './verdicts.ts';

export const slimeRoute: Route = {
  method: 'POST',
  path: '/slime/rm',
  describe: {
    operationId: 'slimeReward',
    summary: "slime's remote reward",
    description:
      'The reply is the bare reward. With `?reward_key=NAME` it is an object that has it under that name, for `--reward-key NAME`, and the status beside it. A sample without a judgement is refused: 503 where trying again may help, 422 where not.',
    parameters: [
      { name: 'reward_key', in: 'query', schema: { type: 'string' } },
      { name: 'undecided', in: 'query', schema: { type: 'number' } },
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['response', 'label'],
            properties: {
              prompt: { description: 'Text or messages; not looked at' },
              response: { type: 'string' },
              label: { description: 'The right answer, tests, or a row in JSON' },
            },
          },
        },
      },
    },
    responses: { 200: { description: 'The reward' } },
  },
  async handle({ body, query }, { verify }) {
    const undecided = undecidedReward(query);
    const { response, label } = object(body, 'body');
    const answer = withoutSpecialTokens(text(response, 'response'));
    const [verdict] = await verify([rowOf(answer, label, 'label')]);
    const [reward] = rewardsOf([verdict!], undecided, () => 'label');
    return reply(query, verdict!, reward!);
  },
};

const RESERVED = new Set(['status', '__proto__']);

function reply(query: RouteRequest['query'], { status }: RowVerdict, reward: number): Reply {
  const key = query.get('reward_key');
  if (key === undefined) return { body: reward };
  if (key === '' || RESERVED.has(key)) {
    throw badRequest('reward_key', 'must be a name other than status', key);
  }
  return { body: { [key]: reward, status } };
}
