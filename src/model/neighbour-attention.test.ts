import { describe, expect, it } from 'vitest';
import { tinyBertConfig } from '../../test/fixtures/tiny-bert.ts';
import { initializeWeights } from './initialize-weights.ts';
import { attendToNeighbours } from './neighbour-attention.ts';

const hidden = 64;
const heads = 4;
const headSize = hidden / heads;
const config = tinyBertConfig({
  vocab_size: 300,
  hidden_size: hidden,
  num_hidden_layers: 2,
  num_attention_heads: heads,
  intermediate_size: 24,
  max_position_embeddings: 128,
});
const plain = new Map([...initializeWeights(config, { seed: 1 })].map((weight) => [weight.name, weight]));
const started = new Map(
  [...attendToNeighbours(config, initializeWeights(config, { seed: 1 }))].map((weight) => [weight.name, weight]),
);
const embedding = (name: string) => started.get(`bert.embeddings.${name}_embeddings.weight`)!.data;

/** The embedding of a word at a position, behind the LayerNorm. */
function token(word: number, position: number): number[] {
  const at = (table: Float32Array, row: number) => [...table.subarray(row * hidden, (row + 1) * hidden)];
  const [words, positions] = [at(embedding('word'), word), at(embedding('position'), position)];
  const sum = words.map((x, i) => x + positions[i]! + embedding('token_type')[i]!);
  const mean = sum.reduce((a, b) => a + b) / hidden;
  const deviation = Math.sqrt(sum.reduce((total, x) => total + (x - mean) ** 2, 0) / hidden);
  return sum.map((x) => (x - mean) / deviation);
}

/** What a head of the first layer puts out for a token as query or key. */
function projected(part: 'query' | 'key', head: number, of: readonly number[]): number[] {
  const matrix = started.get(`bert.encoder.layer.0.attention.self.${part}.weight`)!.data;
  return Array.from({ length: headSize }, (_, row) =>
    of.reduce((sum, x, i) => sum + x * matrix[(head * headSize + row) * hidden + i]!, 0),
  );
}

/** The attention of a head, from a word at a position to 100 other words. */
function attention(head: number, position: number, word: number): number[] {
  const query = projected('query', head, token(word, position));
  const logits = Array.from({ length: 100 }, (_, other) =>
    projected('key', head, token((other * 53 + word) % 300, other)).reduce((sum, x, i) => sum + x * query[i]!, 0),
  ).map((logit) => Math.exp(logit / Math.sqrt(headSize)));
  const total = logits.reduce((a, b) => a + b);
  return logits.map((x) => x / total);
}

describe('attendToNeighbours', () => {
  it.each([
    [0, -1],
    [1, 1],
  ])('lets head %i look at distance %i, wherever it is, on the mean of 30 words', (head, distance) => {
    for (const position of [5, 40, 90]) {
      const ofWords = Array.from({ length: 30 }, (_, word) => attention(head, position, 7 * word));
      const shares = ofWords[0]!.map((_, i) => ofWords.reduce((sum, of) => sum + of[i]!, 0) / ofWords.length);
      expect(shares.indexOf(Math.max(...shares)), `position ${position}`).toBe(position + distance);
    }
  });

  it('leaves the other heads and all other weights as they were', () => {
    for (const [name, { data, shape }] of started) {
      const before = plain.get(name)!;
      expect(shape).toEqual(before.shape);
      if (/embeddings\.\w+_embeddings/.test(name)) continue;
      const untouched = /\.self\.(query|key)\.weight$/.test(name) ? data.length / 2 : 0;
      expect(data.subarray(untouched), name).toEqual(before.data.subarray(untouched));
    }
    expect(embedding('word').subarray(0, 50)).toEqual(
      plain.get('bert.embeddings.word_embeddings.weight')!.data.subarray(0, 50),
    );
  });

  it('keeps words out of the dimensions of positions, and positions out of those of words', () => {
    const first = hidden - 8;
    for (let row = 0; row < 20; row++) {
      for (let i = 0; i < hidden; i++) {
        const [word, position] = [embedding('word')[row * hidden + i], embedding('position')[row * hidden + i]];
        expect(i < first ? position : word).toBe(0);
      }
    }
  });

  it('works for a head too narrow for many frequencies', () => {
    const narrow = tinyBertConfig({ vocab_size: 50, hidden_size: 16, num_attention_heads: 8, num_hidden_layers: 1 });
    for (const { name, data } of attendToNeighbours(narrow, initializeWeights(narrow, { seed: 1 }))) {
      expect(data.every(Number.isFinite), name).toBe(true);
    }
  });
});
