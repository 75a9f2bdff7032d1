/** Guest: standard input as one text, read by every module that offers it. */
export const standardInput = { text: '' };
