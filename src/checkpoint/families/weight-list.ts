/**
 * Lists the weights of a model: linear layers, layer normalisations and tables under their canonical names, each with
 * the other spellings found in files: without the base model's prefix (`bert.`…), in an encoder saved alone, and
 * `gamma`/`beta` for a LayerNorm's `weight`/`bias`, in old TensorFlow conversions and files of transformers 5.0.
 */
import type { TiedNames, WeightSpec } from './model-family.ts';

/** Options of {@link WeightList.dense}. */
export interface DenseOptions {
  /** Whether there is a bias. @default true */
  readonly bias?: boolean;
  /** See {@link WeightSpec.identityFrom}. */
  readonly identityFrom?: number;
}

/** Weights in canonical order. */
export class WeightList {
  readonly specs: WeightSpec[] = [];
  readonly #prefix: string;
  readonly #tied: TiedNames;
  readonly #otherPrefixes: readonly string[];

  /**
   * @param prefix of the encoder's weights in a whole model, with its dot
   * @param otherPrefixes that some files have in its place
   */
  constructor(prefix: string, tied: TiedNames, otherPrefixes: readonly string[] = []) {
    this.#prefix = prefix;
    this.#tied = tied;
    this.#otherPrefixes = otherPrefixes;
  }

  /** A table: [rows, width]. */
  table(name: string, rows: number, width: number): void {
    this.#add(`${name}.weight`, [rows, width]);
  }

  /** A linear layer: weight [output, input] and bias [output]. */
  dense(name: string, output: number, input: number, { bias = true, identityFrom }: DenseOptions = {}): void {
    this.#add(`${name}.weight`, [output, input], [], identityFrom);
    if (bias) this.#add(`${name}.bias`, [output]);
  }

  /** A layer normalisation: weight [width] and bias [width]. */
  layerNorm(name: string, width: number, { bias = true }: { readonly bias?: boolean } = {}): void {
    this.#add(`${name}.weight`, [width], [`${name}.gamma`]);
    if (bias) this.#add(`${name}.bias`, [width], [`${name}.beta`]);
  }

  /** The decoder where it is not tied, and the output bias. */
  decoder(vocabulary: number, width: number, { tied, bias = true }: { tied: boolean; bias?: boolean }): void {
    const { decoder, bias: biasName, biasCopy } = this.#tied;
    if (!tied) this.#add(decoder, [vocabulary, width]);
    if (bias) this.#add(biasName, [vocabulary], biasCopy === undefined ? [] : [biasCopy]);
  }

  #add(name: string, shape: readonly number[], others: readonly string[] = [], identityFrom?: number): void {
    const encoder = name.startsWith(this.#prefix);
    const names = [name, ...others];
    const bare = encoder ? names.map((spelling) => spelling.slice(this.#prefix.length)) : [];
    const prefixed = this.#otherPrefixes.flatMap((prefix) => bare.map((spelling) => prefix + spelling));
    this.specs.push({
      name,
      shape,
      aliases: [...others, ...bare, ...prefixed],
      part: encoder ? 'encoder' : 'head',
      ...(identityFrom === undefined ? {} : { identityFrom }),
    });
  }
}
