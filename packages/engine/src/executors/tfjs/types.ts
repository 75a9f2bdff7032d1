/** Types that the files of this folder share. */
import type * as TensorFlow from '@tensorflow/tfjs';

/** The module `@tensorflow/tfjs`, or one of its variants for Node. */
export type Tf = typeof TensorFlow;
