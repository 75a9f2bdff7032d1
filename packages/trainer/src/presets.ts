/**
 * @packageDocumentation Named presets: each is a small set of options over the defaults. All of them run the same loop.
 */
import type { PresetName, TrainConfigInput } from './config.ts';

/**
 * The options of each preset. Merge one under your own options: `trainConfig.parse({ ...presets.grpo, steps: 20 })`.
 */
export const presets: Readonly<Record<PresetName, TrainConfigInput>> = {
  /** Our version of CIPO: risk penalty after normalization, limited anchors per prompt, hidden verdicts. */
  cipo: {},
  /** The attributed formulas literally [A], without diagnostics from the verifier [P]. */
  'cipo-attributed': {
    corrections: {
      riskMode: 'reward',
      anchorsPerPrompt: 0,
      fillWithCorrect: true,
      diagnosticsRate: 0,
    },
    objective: { beta: 1e-4 },
  },
  /** GRPO (Shao et al. 2024, DeepSeekMath): no correction stream. */
  grpo: { corrections: { enabled: false } },
  /** DAPO (Yu et al. 2025): clip-higher, dynamic sampling with refill, token mean, overlong shaping, no KL term. */
  dapo: {
    corrections: { enabled: false },
    objective: {
      clipLow: 0.2,
      clipHigh: 0.28,
      aggregation: 'token-mean',
      dynamicSamplingRounds: 3,
      overlongBuffer: 8,
    },
  },
  /** Dr. GRPO (Liu et al. 2025): A = r - mean, constant divisor, no KL term. */
  'dr-grpo': {
    corrections: { enabled: false },
    objective: { normalizeByStd: false, aggregation: 'constant' },
  },
};
