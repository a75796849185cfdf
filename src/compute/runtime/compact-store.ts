/** The matrices of an engine that keeps them in fewer bits; all zero at first. */
import { LexrayError } from '../../util/errors.ts';
import { type PackedRows, scalesSuffix } from '../graph/compact-weights.ts';
import { moreConstants, type StoredConstant } from '../graph/onnx-writer.ts';
import { type CompactMatrix, fromCompact, toCompact, transposedRows } from './compact-matrix.ts';
import type { VariablePart, VariableSpec } from './engine.ts';

interface StoredMatrix {
  readonly spec: VariableSpec;
  matrix: CompactMatrix;
  /** Whether a compiled program holds its values. */
  compiled: boolean;
}

/** Compact matrices by name. */
export class CompactStore {
  readonly #matrices = new Map<string, StoredMatrix>();

  create(specs: readonly VariableSpec[], precision: CompactMatrix['precision']): void {
    for (const spec of specs) {
      const zeros = new Float32Array(elementsOf(spec));
      this.#matrices.set(spec.name, { spec, matrix: toCompact(zeros, spec.dims[0]!, precision), compiled: false });
    }
  }

  has(name: string): boolean {
    return this.#matrices.has(name);
  }

  /** @throws LexrayError when the length is wrong, or a compiled program holds the values already */
  write(name: string, part: VariablePart, data: Float32Array): void {
    const stored = this.#get(name, part);
    const { spec, matrix, compiled } = stored;
    const elements = elementsOf(spec);
    if (data.length !== elements) {
      throw new LexrayError('FAILED', `variable ${name}: ${elements} elements expected, got ${data.length}`);
    }
    if (compiled) throw new LexrayError('FAILED', `variable ${name} is part of a compiled program: write it before`);
    stored.matrix = toCompact(data, spec.dims[0]!, matrix.precision);
  }

  read(name: string, part: VariablePart): Float32Array<ArrayBuffer> {
    return fromCompact(this.#get(name, part).matrix);
  }

  /** The content of a graph's input: a matrix, or under its name with the suffix its scales; undefined if it is neither. */
  input(name: string): StoredConstant | undefined {
    const stored = this.#matrices.get(name);
    if (stored) {
      const { spec, matrix } = stored;
      return matrix.precision === 'int8'
        ? { dtype: 'int8', dims: spec.dims, data: matrix.quanta }
        : { dtype: 'float16', dims: spec.dims, data: matrix.words };
    }
    const owner = name.endsWith(scalesSuffix) ? this.#matrices.get(name.slice(0, -scalesSuffix.length)) : undefined;
    if (owner?.matrix.precision !== 'int8') return undefined;
    return { dtype: 'float32', dims: [owner.spec.dims[0]!], data: owner.matrix.scales };
  }

  /** A model with the constants that it takes of int8 matrices. */
  withConstants(onnx: Uint8Array, packed: readonly PackedRows[]): Uint8Array {
    const constants = new Map<string, StoredConstant>();
    for (const { name, variable, start, end } of packed) {
      const stored = this.#matrices.get(variable)!;
      if (stored.matrix.precision !== 'int8') continue;
      const { quanta, scales } = stored.matrix;
      const width = stored.spec.dims[1]!;
      stored.compiled = true;
      constants.set(name, {
        dtype: 'int8',
        dims: [width, end - start],
        data: transposedRows(quanta, width, start, end),
      });
      constants.set(name + scalesSuffix, { dtype: 'float32', dims: [end - start], data: scales.slice(start, end) });
    }
    return Buffer.concat([onnx, moreConstants(constants)]);
  }

  #get(name: string, part: VariablePart): StoredMatrix {
    if (part !== 'value') throw new LexrayError('FAILED', `variable ${name} is not trainable: it has no ${part}`);
    return this.#matrices.get(name)!;
  }
}

function elementsOf({ dims }: VariableSpec): number {
  return dims.reduce((product, dim) => product * dim, 1);
}
