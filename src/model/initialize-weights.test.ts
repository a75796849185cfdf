import { describe, expect, it } from 'vitest';
import { tinyBertConfig } from '../../test/fixtures/tiny-bert.ts';
import { findFamily, modelShape } from '../checkpoint/families/registry.ts';
import { initializeWeights } from './initialize-weights.ts';
import { modelVariables } from './splade-graph.ts';

const config = tinyBertConfig({ vocab_size: 500, hidden_size: 16, num_hidden_layers: 2, intermediate_size: 24 });
const word = 'bert.embeddings.word_embeddings.weight';

function deviation(values: Float32Array): number {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}

function weights(options: Parameters<typeof initializeWeights>[1]): Map<string, Float32Array> {
  return new Map([...initializeWeights(config, options)].map(({ name, data }) => [name, new Float32Array(data)]));
}

describe('initializeWeights', () => {
  it('gives every weight of the model, in its order and shape', () => {
    const found = [...initializeWeights(config, { seed: 1 })].map(({ name, shape, data }) => {
      expect(data).toHaveLength(shape.reduce((product, dim) => product * dim, 1));
      return { name, dims: shape, trainable: true };
    });
    expect(found).toEqual(modelVariables(config, true));
  });

  it('follows from the seed alone', () => {
    expect(weights({ seed: 3 })).toEqual(weights({ seed: 3 }));
    expect(weights({ seed: 3 }).get(word)).not.toEqual(weights({ seed: 4 }).get(word));
  });

  it('draws matrices with the deviation of the config, LayerNorm 1 and 0, biases 0', () => {
    for (const [name, data] of weights({ seed: 1 })) {
      if (name.endsWith('LayerNorm.weight')) expect(new Set(data), name).toEqual(new Set([1]));
      else if (name.endsWith('bias')) expect(new Set(data), name).toEqual(new Set([0]));
      else if (data.length > 200) {
        expect(Math.abs(deviation(data) / config.initializer_range - 1), name).toBeLessThan(0.2);
      }
    }
    expect(deviation(weights({ seed: 1 }).get(word)!)).toBeCloseTo(config.initializer_range, 3);
  });

  it('takes another deviation for word embeddings, another output bias, and adds the identity', () => {
    const plain = weights({ seed: 1 });
    const changed = weights({ seed: 1, embeddingDeviation: 0.5, outputBias: -2.5, nearIdentity: true });
    expect(deviation(changed.get(word)!)).toBeCloseTo(0.5, 1);
    expect(new Set(changed.get('cls.predictions.bias'))).toEqual(new Set([-2.5]));
    const identity = [...plain.keys()].filter((name) => {
      if (name === word || name === 'cls.predictions.bias') return false;
      const difference = changed.get(name)!.map((x, i) => x - plain.get(name)![i]!);
      if (difference.every((x) => x === 0)) return false;
      difference.forEach((x, i) => {
        expect(x).toBeCloseTo(Math.floor(i / 16) === i % 16 ? 1 : 0, 6);
      });
      return true;
    });
    expect(identity).toEqual([
      'bert.encoder.layer.0.attention.self.value.weight',
      'bert.encoder.layer.0.attention.output.dense.weight',
      'bert.encoder.layer.1.attention.self.value.weight',
      'bert.encoder.layer.1.attention.output.dense.weight',
      'cls.predictions.transform.dense.weight',
    ]);
  });

  it.each(['distilbert', 'roberta', 'albert', 'modernbert', 'new'])(
    'of %s: scales 1, biases 0, identities in place',
    (type) => {
      const sizes = {
        hidden_size: 8,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 12,
        dim: 8,
        n_heads: 2,
      };
      const fields = {
        model_type: type,
        vocab_size: 20,
        pad_token_id: 1,
        embedding_size: 6,
        initializer_range: 1e-6,
        ...sizes,
      };
      const family = findFamily(type, 'test');
      const other = family.configSchema.parse(fields);
      let identities = 0;
      for (const { name, shape, data } of initializeWeights(other, { seed: 1, nearIdentity: true, outputBias: -2 })) {
        if (name === family.tied.bias) expect(new Set(data), name).toEqual(new Set([-2]));
        else if (shape.length === 1) expect(new Set(data), name).toEqual(new Set([name.endsWith('.weight') ? 1 : 0]));
        else {
          const columns = shape[1]!;
          const ones = [...data.keys()].filter((i) => data[i]! > 0.5);
          if (ones.length === 0) continue;
          identities++;
          // The last rows of a packed matrix are the values.
          const first = name.includes('qkv') ? 2 * columns : 0;
          const size = Math.min(shape[0]! - first, columns);
          expect(ones, name).toEqual(Array.from({ length: size }, (_, i) => (first + i) * columns + i));
        }
      }
      const { layers } = modelShape(other);
      // Values, attention outputs and the head's transform; ALBERT's layers are one, and its embeddings are widened.
      expect(identities).toBe(type === 'albert' ? 4 : 2 * layers + 1);
    },
  );
});
