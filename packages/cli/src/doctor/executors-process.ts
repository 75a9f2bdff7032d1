/** The child process of executors.ts: measures every executor and sends the reports to its parent. */
import { describeExecutors } from '@cipo/engine';

const reports = await describeExecutors({ measure: true });
process.send?.(reports, () => process.exit(0));
