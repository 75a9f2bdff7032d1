/** Learning rate of a step: linear warm-up, then constant, or a linear or cosine decay to zero. */
import type { TrainConfig } from '../config.ts';

type ScheduleOptions = Pick<TrainConfig['optimizer'], 'learningRate' | 'warmupSteps' | 'schedule'>;

/**
 * @param step 1-based
 * @param steps number of steps of the whole schedule
 */
export function learningRateAt(step: number, steps: number, options: ScheduleOptions): number {
  const { learningRate, warmupSteps, schedule } = options;
  if (step <= warmupSteps) return (learningRate * step) / (warmupSteps + 1);
  const progress = (step - 1 - warmupSteps) / Math.max(1, steps - warmupSteps);
  switch (schedule) {
    case 'constant':
      return learningRate;
    case 'linear':
      return learningRate * (1 - progress);
    case 'cosine':
      return (learningRate * (1 + Math.cos(Math.PI * progress))) / 2;
  }
}
