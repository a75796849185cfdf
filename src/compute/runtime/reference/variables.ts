/**
 * Variables of the reference engine, and AdamW on them (Loshchilov and Hutter, arXiv 1711.05101): with g the clipped
 * gradient, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − lr·decay·w − lr · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε).
 */
import { LexrayError } from '../../../util/errors.ts';
import type { AdamWStep, VariablePart, VariableSpec } from '../engine.ts';
import { variablesByName } from '../program-signature.ts';
import type { Precision } from './interpret.ts';
import { type ReferenceTensor, sizeOf } from './tensor.ts';

type Arrays = Record<VariablePart, Float64Array>;

/** The variables of one engine, all zero at first. */
export class ReferenceVariables {
  readonly specs: ReadonlyMap<string, VariableSpec>;
  readonly #arrays = new Map<string, Arrays>();
  readonly #round: (x: number) => number;

  constructor(specs: readonly VariableSpec[], precision: Precision) {
    this.specs = variablesByName(specs);
    this.#round = precision === 'float32' ? Math.fround : (x) => x;
    for (const { name, dims } of specs) {
      const zeros = (): Float64Array => new Float64Array(sizeOf(dims));
      this.#arrays.set(name, { value: zeros(), gradient: zeros(), firstMoment: zeros(), secondMoment: zeros() });
    }
  }

  /** One array of a variable, not a copy. */
  read(name: string, part: VariablePart): Float64Array {
    const spec = this.specs.get(name);
    if (!spec) throw new LexrayError('FAILED', `unknown variable ${name}`);
    if (part !== 'value' && !spec.trainable) {
      throw new LexrayError('FAILED', `variable ${name} is not trainable: it has no ${part}`);
    }
    return this.#arrays.get(name)![part];
  }

  /** Replaces one array of a variable. */
  write(name: string, part: VariablePart, data: ArrayLike<number>): void {
    const kept = this.read(name, part);
    if (kept.length !== data.length) {
      throw new LexrayError('FAILED', `variable ${name}: ${kept.length} elements expected, got ${data.length}`);
    }
    kept.set(Float64Array.from(data, this.#round));
  }

  /** The value of a variable as a tensor. */
  tensor(name: string): ReferenceTensor {
    return { dtype: 'float32', dims: this.specs.get(name)!.dims, data: this.read(name, 'value').slice() };
  }

  /** One AdamW step over the named variables; returns the global gradient norm before clipping. */
  adamW(step: AdamWStep, names: Iterable<string>): number {
    const updated = [...names];
    const squares = updated.flatMap((name) => [...this.read(name, 'gradient')].map((g) => g * g));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    if (!Number.isFinite(norm)) return norm;
    const limit = step.maxGradientNorm;
    const scale = limit === undefined ? 1 : Math.min(1, limit / (norm + 1e-6));
    for (const name of updated) this.#update(name, step, scale);
    return norm;
  }

  #update(name: string, step: AdamWStep, scale: number): void {
    const { value, gradient, firstMoment, secondMoment } = this.#arrays.get(name)!;
    const decay = step.withoutDecay.has(name) ? 0 : step.weightDecay;
    const { beta1, beta2, epsilon } = step;
    const learningRate = step.learningRate * (step.learningRateFactors?.get(name) ?? 1);
    for (let i = 0; i < value.length; i++) {
      const g = gradient[i]! * scale;
      const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
      const v = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
      const meanGradient = m / (1 - beta1 ** step.step);
      const meanSquare = v / (1 - beta2 ** step.step);
      firstMoment[i] = this.#round(m);
      secondMoment[i] = this.#round(v);
      value[i] = this.#round(
        value[i]! -
          learningRate * decay * value[i]! -
          (learningRate * meanGradient) / (Math.sqrt(meanSquare) + epsilon),
      );
    }
  }
}
