/**
 * Variables in WebAssembly memories: value, gradient and two moments of a variable lie together, allocated once.
 * onnxruntime reads and writes views on them without copying; the optimizer kernels update them in place.
 * A memory holds at most 4 GiB, so big models take several.
 */
import { LexrayError } from '../../util/errors.ts';
import { type OptimizerKernels, optimizerKernels } from '../kernels/optimizer.ts';
import type { AdamWStep, VariablePart, VariableSpec } from './engine.ts';

const pageSize = 65536;
const memoryLimit = 4 * 1024 ** 3 - pageSize;
const parts: readonly VariablePart[] = ['value', 'gradient', 'firstMoment', 'secondMoment'];

interface Block {
  readonly memory: WebAssembly.Memory;
  readonly kernels: OptimizerKernels;
}

interface StoredVariable {
  readonly spec: VariableSpec;
  readonly block: Block;
  readonly length: number;
  /** Byte offset of each part in the block's memory. */
  readonly offsets: Readonly<Partial<Record<VariablePart, number>>>;
}

/** All variables of one engine. */
export class VariableStore {
  readonly #variables = new Map<string, StoredVariable>();

  constructor(specs: readonly VariableSpec[]) {
    let pending: { spec: VariableSpec; start: number }[] = [];
    let used = 0;
    const flush = (): void => {
      if (pending.length > 0) this.#allocate(pending, used);
      pending = [];
      used = 0;
    };
    for (const spec of specs) {
      const bytes = partBytes(spec) * (spec.trainable ? parts.length : 1);
      if (bytes > memoryLimit) {
        throw new LexrayError(
          'FAILED',
          `variable ${spec.name} [${spec.dims}] needs ${bytes} bytes; at most ${memoryLimit} fit`,
          {
            cure: 'use a smaller vocabulary or hidden size',
          },
        );
      }
      if (used + bytes > memoryLimit) flush();
      pending.push({ spec, start: used });
      used += bytes;
    }
    flush();
  }

  /** A view on one part of a variable; it stays valid for the life of the store. */
  view(name: string, part: VariablePart): Float32Array<ArrayBuffer> {
    const variable = this.#get(name);
    const offset = variable.offsets[part];
    if (offset === undefined) throw new LexrayError('FAILED', `variable ${name} is not trainable: it has no ${part}`);
    return new Float32Array(variable.block.memory.buffer, offset, variable.length);
  }

  /** The declaration of a variable. */
  spec(name: string): VariableSpec {
    return this.#get(name).spec;
  }

  /** Adds numbers to the gradient of a variable. */
  addToGradient(name: string, added: Float32Array): void {
    const gradient = this.view(name, 'gradient');
    for (let i = 0; i < gradient.length; i++) gradient[i]! += added[i]!;
  }

  /** One AdamW step over the named variables; returns the global gradient norm before clipping. */
  adamW(step: AdamWStep, names: Iterable<string>): number {
    const updated = [...names].map((name) => this.#get(name));
    let squares = 0;
    for (const { block, length, offsets } of updated) {
      squares += block.kernels.sumOfSquares(offsets.gradient!, padded(length));
    }
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm)) return norm;
    const limit = step.maxGradientNorm;
    const scale = limit === undefined ? 1 : Math.min(1, limit / (norm + 1e-6));
    for (const { spec, block, length, offsets } of updated) {
      block.kernels.adamW(
        offsets.value!,
        offsets.gradient!,
        offsets.firstMoment!,
        offsets.secondMoment!,
        padded(length),
        step.learningRate * (step.learningRateFactors?.get(spec.name) ?? 1),
        step.beta1,
        step.beta2,
        step.epsilon,
        step.withoutDecay.has(spec.name) ? 0 : step.weightDecay,
        1 - step.beta1 ** step.step,
        Math.sqrt(1 - step.beta2 ** step.step),
        scale,
      );
    }
    return norm;
  }

  #get(name: string): StoredVariable {
    const variable = this.#variables.get(name);
    if (!variable) throw new LexrayError('FAILED', `unknown variable ${name}`);
    return variable;
  }

  #allocate(pending: readonly { spec: VariableSpec; start: number }[], bytes: number): void {
    const pages = Math.ceil(bytes / pageSize) + 1;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const block: Block = { memory, kernels: optimizerKernels(memory) };
    for (const { spec, start } of pending) {
      const step = partBytes(spec);
      const kept = spec.trainable ? parts : parts.slice(0, 1);
      // The first page stays unused, so that offset 0 is never a variable.
      const offsets = Object.fromEntries(kept.map((part, i) => [part, pageSize + start + i * step]));
      this.#variables.set(spec.name, { spec, block, length: elements(spec), offsets });
    }
  }
}

function elements(spec: VariableSpec): number {
  return spec.dims.reduce((product, dim) => product * dim, 1);
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

function partBytes(spec: VariableSpec): number {
  return Math.ceil((elements(spec) * 4) / 64) * 64;
}
