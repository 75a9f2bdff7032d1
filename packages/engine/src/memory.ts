/**
 * Estimates the memory of a policy from its configuration and settings, before anything is loaded. Everything is
 * float32. The estimate counts what the programs keep; benchmarks/engine/memory.ts compares it with the memory of a
 * process.
 */

import { freemem } from 'node:os';
import { MIB } from '@cipo/support';
import { type LoraModule, parametersOf } from './lora/options.ts';
import { contextLength, headSize, type ModelConfig, paramSpecs } from './model/config.ts';
import { sizeOf } from './ops.ts';

/** The model and settings that the memory of a run depends on. */
export interface MemoryPlan {
  readonly config: ModelConfig;
  /** Absent: the model's own weights are trained. */
  readonly adapters?: readonly LoraModule[];
  /** False if the policy is only sampled and scored. */
  readonly trains: boolean;
  /** Whether a frozen reference is kept. */
  readonly reference: boolean;
  readonly microBatchRows: number;
  readonly logitsBytes: number;
  readonly recompute: boolean;
  /** Number of micro-batch shapes whose programs keep their memory at the same time. */
  readonly shapes: number;
  /** Sequences generated at once. */
  readonly sequences: number;
  /** Maximum tokens of a completion; prompts are assumed to be no longer. */
  readonly maxTokens: number;
  readonly cacheBytes: number;
}

/** Estimated bytes, by purpose. */
export interface MemoryEstimate {
  readonly weights: number;
  readonly mergedWeights: number;
  readonly reference: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly logits: number;
  readonly caches: number;
  readonly process: number;
  readonly total: number;
}

const FLOAT = 4;
/** Node, the libraries and their code. */
const PROCESS_BYTES = 200 * MIB;
/** onnxruntime's arena holds more than the tensors: it grows in steps and leaves gaps. */
const ARENA_SLACK = 1.15;

/** Estimates the memory of a plan, in bytes by purpose. */
export function estimateMemory(plan: MemoryPlan): MemoryEstimate {
  const { config, adapters, trains, reference } = plan;
  const model = paramSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0) * FLOAT;
  const trained = adapters ? parametersOf(adapters) * FLOAT : model;
  const merged = (adapters ?? []).reduce((sum, m) => sum + m.outputs * m.inputs, 0) * FLOAT;
  const scratch = largestScratch(plan);
  const parts = {
    weights: model + (adapters ? trained : 0),
    mergedWeights: merged,
    reference: reference && !adapters ? model : 0,
    // The gradient, the fresh arrays that a run adds to it, and those of the previous run until they are collected.
    gradients: trains ? 3 * trained : 0,
    optimizer: trains ? 2 * trained : 0,
    activations: trains ? plan.shapes * scratch.activations : 0,
    logits: (trains ? plan.shapes : 1) * scratch.logits,
    caches: Math.min(plan.cacheBytes, cacheBytes(plan)),
    process: PROCESS_BYTES,
  };
  return { ...parts, total: Object.values(parts).reduce((a, b) => a + b) };
}

/**
 * Floats that one row (token) of a layer keeps for the backward pass, from the tensors of model/llama.ts and
 * attention.ts.
 */
function floatsOfRow(config: ModelConfig, sequence: number): number {
  const { hidden_size: d, intermediate_size: f, num_attention_heads: heads } = config;
  const queries = heads * headSize(config);
  const keys = config.num_key_value_heads * headSize(config);
  const residual = 4 * d; // both norms' inputs and outputs
  const attention = 3 * queries + 4 * keys + 2 * heads * sequence; // q, k, v as made and by head; scores and weights
  return residual + attention + 4 * f; // gate, its silu, up, their product
}

/** The longest sequence. The prompt of a correction holds an attempt. */
function sequenceOf({ config, maxTokens }: MemoryPlan) {
  return Math.min(contextLength(config), 3 * maxTokens);
}

/** Scratch of the largest micro-batch; it holds at least one whole sequence. */
function largestScratch(plan: MemoryPlan) {
  const sequence = sequenceOf(plan);
  return scratchOf(plan, Math.max(plan.microBatchRows, sequence), sequence);
}

/** Bytes that a program of this many rows keeps between runs. */
export function scratchOf(
  plan: Pick<MemoryPlan, 'config' | 'adapters' | 'logitsBytes' | 'recompute' | 'trains'>,
  rows: number,
  sequence: number,
): { readonly activations: number; readonly logits: number } {
  const { config, adapters, logitsBytes, recompute, trains } = plan;
  const layers = config.num_hidden_layers;
  const whole = floatsOfRow(config, sequence);
  // The layer being differentiated keeps about as much again in gradients.
  const kept = recompute ? layers * config.hidden_size + 2 * whole : (layers + 1) * whole;
  // Per chunk of logits: logits, their distribution, its gradient and two temporaries.
  const piece = Math.min(logitsBytes / FLOAT, rows * config.vocab_size);
  const matrix = trains && !adapters ? 2 * config.vocab_size * config.hidden_size : 0;
  const bytes = (floats: number) => floats * FLOAT * ARENA_SLACK;
  return {
    activations: bytes(rows * (trains ? kept : 2 * whole)),
    logits: bytes((trains ? 5 : 2) * piece + matrix),
  };
}

function cacheBytes({ config, sequences, maxTokens }: MemoryPlan): number {
  const tokenBytes =
    config.num_hidden_layers * 2 * config.num_key_value_heads * headSize(config) * FLOAT;
  // The tokens of a sequence, and its share of the prompt.
  return sequences * maxTokens * 1.25 * tokenBytes;
}

/** A setting that makes the plan smaller, as a user writes it after --set. */
export interface Advice {
  readonly setting: string;
  readonly total: number;
}

/** Advice must save at least this share of the plan; less is not visible in megabytes. */
const WORTHWHILE = 0.01;

/**
 * Settings that each make the plan smaller: first those that make it fit, the mildest first; last, all of them
 * together.
 */
export function memoryAdvice(plan: MemoryPlan, budget: number): Advice[] {
  const now = estimateMemory(plan).total;
  const rows = Math.max(256, Math.floor(plan.microBatchRows / 4));
  const cacheMb = 512;
  const changes: readonly (readonly [setting: string, change: Partial<MemoryPlan>])[] = [
    [`engine.microBatchRows=${rows}`, { microBatchRows: rows }],
    ['engine.recompute=true', { recompute: true }],
    [`engine.cacheMb=${cacheMb}`, { cacheBytes: Math.min(plan.cacheBytes, cacheMb * MIB) }],
    ['objective.beta=0', { reference: false }],
  ];
  const useful = changes.flatMap(([setting, change]) => {
    const { total } = estimateMemory({ ...plan, ...change });
    return total <= now * (1 - WORTHWHILE) ? [{ setting, change, total }] : [];
  });
  const all = Object.assign({}, ...useful.map(({ change }) => change));
  const together = {
    setting: useful.map(({ setting }) => setting).join(' --set '),
    total: estimateMemory({ ...plan, ...all }).total,
  };
  const ones = useful.map(({ setting, total }) => ({ setting, total }));
  return [
    ...ones.toSorted((a, b) => Number(b.total <= budget) - Number(a.total <= budget)),
    ...(useful.length > 1 ? [together] : []),
  ];
}

/** Bytes that this process may still allocate: free memory, or the rest of a container's limit. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const left = limit > 0 ? limit - process.memoryUsage.rss() : Infinity;
  const free = process.availableMemory();
  return Math.min(left, free > 0 ? free : freemem());
}
