/**
 * Turns a stream of weights in any order into weights on demand: those that come before their turn are held, so a
 * stream in canonical order needs memory for one weight. Each weight must come exactly once, with the shape expected.
 */
import { badInput } from '../../util/errors.ts';
import type { NamedWeight } from '../checkpoint.ts';
import type { WeightSpec } from '../families/model-family.ts';
import { quote } from '../json-cursor.ts';

/** Weights on demand. */
export interface WeightQueue {
  /** @throws LexrayError BAD_INPUT when the stream has no such weight, or one before it does not fit */
  take(name: string): Promise<Float32Array>;
  /** @throws LexrayError BAD_INPUT when the stream has more weights than were taken */
  end(): Promise<void>;
  /** Lets go of the stream, whether it was read to its end or not. */
  close(): Promise<void>;
}

/** Makes a queue over weights under canonical names. */
export function weightQueue(
  weights: Iterable<NamedWeight> | AsyncIterable<NamedWeight>,
  specs: readonly WeightSpec[],
): WeightQueue {
  const iterator = Symbol.asyncIterator in weights ? weights[Symbol.asyncIterator]() : weights[Symbol.iterator]();
  const expected = new Map(specs.map(({ name, shape }) => [name, shape]));
  const held = new Map<string, Float32Array>();
  let done = false;

  async function next(): Promise<NamedWeight | undefined> {
    const result = await iterator.next();
    if (result.done) {
      done = true;
      return undefined;
    }
    const { name, shape, data } = result.value;
    const wanted = expected.get(name);
    if (wanted === undefined) {
      throw badInput(`the model has no weight ${quote(name)}, or got it twice`, {
        where: name,
        cure: 'give every weight once; a decoder only if tie_word_embeddings is false',
      });
    }
    expected.delete(name);
    if (shape.length !== wanted.length || shape.some((size, i) => size !== wanted[i])) {
      throw badInput(
        `weight ${quote(name)} has shape [${shape.join(', ')}]; the config asks for [${wanted.join(', ')}]`,
        { where: name, cure: 'config and weights do not belong together' },
      );
    }
    return { name, shape, data };
  }

  return {
    async take(name) {
      for (;;) {
        const data = held.get(name);
        if (data !== undefined) {
          held.delete(name);
          return data;
        }
        const weight = await next();
        if (weight === undefined) throw badInput(`the weight ${quote(name)} is missing`, { where: name });
        if (weight.name === name) return weight.data;
        held.set(weight.name, weight.data);
      }
    },
    async end() {
      await next();
    },
    async close() {
      if (!done) await iterator.return?.();
    },
  };
}
