/** Named recipes: each is a small set of options over the defaults, never a fork of the loop. */
import type { PresetName, TrainConfigInput } from './config.ts';

export const presets: Readonly<Record<PresetName, TrainConfigInput>> = {
  /** Ours: risk after normalisation, anchor caps, hidden verdict. */
  cipo: {},
  /** The attributed formulas literally [A], without signal from outside [P]. */
  'cipo-attributed': {
    corrections: {
      riskMode: 'reward',
      anchorsPerPrompt: 0,
      fillWithCorrect: true,
      diagnosticsRate: 0,
    },
    objective: { beta: 1e-4 },
  },
  /** Shao et al. 2024 (DeepSeekMath), without the correction stream. */
  grpo: { corrections: { enabled: false } },
  /** Yu et al. 2025 (DAPO): clip-higher, dynamic sampling with refill, token mean, overlong shaping, no KL. */
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
  /** Liu et al. 2025 (Dr. GRPO): A = r - mean, constant normaliser, no KL. */
  'dr-grpo': {
    corrections: { enabled: false },
    objective: { normalizeByStd: false, aggregation: 'constant' },
  },
};
