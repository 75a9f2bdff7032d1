/** Tensors by name: the types of the inputs and outputs of programs, and of the parameters of a model. */

import { EngineError } from './errors.ts';

/** Tensors whose names are known only at run time: the parameters of a model, the caches of its layers. */
export type Params<T> = Readonly<Record<string, T>>;

/** Tensors of which those named `N` are present; others, such as the parameters of a model, may be beside them. */
export type Tensors<N extends string, T> = Params<T> & Readonly<Record<N, T>>;

/**
 * The tensor of a name that is known only at run time.
 * @throws EngineError `internal` naming the missing tensor
 */
export function requireParam<T>(params: Params<T>, name: string): T {
  const tensor = params[name];
  if (tensor === undefined) throw new EngineError('internal', `tensor "${name}" is missing`);
  return tensor;
}

/** A function of every tensor, under the same names. */
export function mapTensors<N extends string, A, B>(
  tensors: Tensors<N, A>,
  map: (tensor: A, name: string) => B,
): Tensors<N, B> {
  const mapped = Object.entries<A>(tensors).map(([name, tensor]) => [name, map(tensor, name)]);
  return Object.fromEntries(mapped);
}

/** Tensors of given names, each made from its name. */
export function makeTensors<N extends string, T>(
  names: readonly N[],
  make: (name: N) => T,
): Tensors<N, T> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Tensors<N, T>;
}

/** The chosen tensors. */
export function pickTensors<N extends string, T>(
  tensors: Tensors<N, T>,
  names: readonly N[],
): Tensors<N, T> {
  return makeTensors(names, (name) => tensors[name]);
}
