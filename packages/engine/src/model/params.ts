/** The tensors of a model under their Hugging Face names, as values of the operations that compute with them. */
export type Params<T> = Readonly<Record<string, T>>;
