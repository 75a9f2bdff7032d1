/**
 * A fake run as a stream of events, for the tests of drawing and report only.
 * Nothing is trained or judged; no command imports this file.
 */
import type {
  Evaluation,
  Metrics,
  Quality,
  SampleRecord,
  Summary,
  TrainEvent,
} from '@cipo/trainer';
import { type TrainConfig, trainConfig } from '@cipo/trainer/config';

export const FAKE_CONFIG: TrainConfig = trainConfig.parse({ steps: 60 });

function quality(passAt1: number): Quality {
  const around = (mean: number) => ({ mean, low: mean - 0.03, high: mean + 0.03, n: 200 });
  return {
    passAt1: around(passAt1),
    passAtK: around(Math.min(0.95, passAt1 + 0.3)),
    fixRate: around(passAt1 * 0.8),
    retention: around(0.8),
  };
}

export function fakeEvaluation(passAt1: number): Evaluation {
  return {
    ...quality(passAt1),
    k: 8,
    perKind: { arithmetic: quality(passAt1 + 0.05), functions: quality(passAt1 - 0.05) },
    voided: 0,
    generatedTokens: 40_000,
  };
}

export function fakeMetrics(step: number, steps: number): Metrics {
  const share = step / steps;
  const noise = Math.sin(step * 1.7) * 0.04;
  return {
    reward: 0.4 + 0.2 * share + noise,
    reward_std: 0.32 - 0.05 * share,
    frac_reward_zero_std: 0.2 + noise,
    entropy: 0.8 - 0.3 * share,
    kl: 0.01 * share,
    clip_ratio: 0.002,
    'completions/mean_length': 28 + 4 * noise,
    'completions/clipped_ratio': 0.01,
    grad_norm: 0.6 - noise,
    learning_rate: 1e-4,
    step_time: 1.5,
    num_tokens: step * 14_000,
    'correction/reward': 0.3 + 0.2 * share - noise,
    'correction/fix_rate': 0.28 + 0.2 * share + noise,
    'correction/retention': 0.78 + 0.06 * share,
    'correction/corrupt_rate': 0.22 - 0.06 * share,
    'correction/rho': 0.3 + noise / 2,
    'correction/anchors_correct': 9,
    'correction/anchors_failed': 23,
    'correction/copy_rate': 0.2,
    'correction/edit_distance': 0.4,
  };
}

const TASKS = {
  arithmetic: {
    prompt: '3/4 + 5 * 2 = ?',
    correct: '5*2=10; 3/4+10=43/4; 43/4',
    incorrect: '5*2=12; 51/4',
  },
  functions: {
    prompt: 'f(1)=2\nf(3)=6\nf(10)=20',
    correct: 'function f(x) {\n  return x * 2;\n}',
    incorrect: 'function f(x) {\n  return x + 1;\n}',
  },
};

export function fakeSamples(step: number): SampleRecord[] {
  return Object.entries(TASKS).flatMap(
    ([kind, { prompt, correct, incorrect }], index): SampleRecord[] => {
      const common = { step, kind, taskId: `${kind}-${step}`, prompt };
      const isFixed = (step + index) % 3 !== 0;
      const hint = kind === 'functions' ? 'f(3) gave 4, expected 6' : 'the result of step 1 is off';
      return [
        {
          ...common,
          stream: 'base',
          attempt: incorrect,
          passed: false,
          status: 'wrong_answer',
          diagnostics: [hint],
          advantage: -0.7,
        },
        {
          ...common,
          stream: 'correction',
          prompt: `${prompt}\nAn earlier attempt, which may be incorrect:\n${incorrect}`,
          attempt: isFixed ? correct : incorrect,
          passed: isFixed,
          status: isFixed ? 'accepted' : 'wrong_answer',
          diagnostics: isFixed ? [] : [hint],
          advantage: isFixed ? 1.2 : -0.4,
          anchor: {
            attempt: incorrect,
            passed: false,
            diagnosticsShown: step % 2 === 0 ? [hint] : [],
          },
        },
      ];
    },
  );
}

export function fakeSummary(steps = 60): Summary {
  const [before, after] = [fakeEvaluation(0.42), fakeEvaluation(0.56)];
  const numbers = ({ passAt1, passAtK, fixRate, retention }: Evaluation) => ({
    passAt1: passAt1.mean,
    passAtK: passAtK.mean,
    fixRate: fixRate.mean,
    retention: retention.mean,
  });
  return {
    preset: 'cipo',
    seed: 1,
    parameters: 2_600_000,
    trained: 2_600_000,
    steps,
    generatedTokens: steps * 14_000,
    wallSeconds: 214,
    interrupted: false,
    before: numbers(before),
    after: numbers(after),
    intervals: { before, after },
  };
}

/** The events of a whole run, in order. */
export function* fakeRun(directory = '/tmp/runs/fake', steps = 60): Generator<TrainEvent> {
  const config = { ...FAKE_CONFIG, steps };
  yield {
    type: 'start',
    config,
    directory,
    parameters: 2_600_000,
    trained: 2_600_000,
    engine: 'onnx, 2 threads',
    resumedAt: 0,
  };
  for (const done of [100, 400]) yield { type: 'evaluating', phase: 'before', done, total: 400 };
  yield { type: 'evaluated', phase: 'before', step: 0, evaluation: fakeEvaluation(0.42) };
  for (let step = 1; step <= steps; step += 1) {
    yield {
      type: 'step',
      step,
      steps,
      metrics: fakeMetrics(step, steps),
      samples: fakeSamples(step),
    };
  }
  yield { type: 'checkpoint', step: steps, directory: `${directory}/checkpoints/best`, best: true };
  for (const done of [100, 400]) yield { type: 'evaluating', phase: 'after', done, total: 400 };
  yield { type: 'evaluated', phase: 'after', step: steps, evaluation: fakeEvaluation(0.56) };
  yield { type: 'end', summary: fakeSummary(steps), directory };
}
