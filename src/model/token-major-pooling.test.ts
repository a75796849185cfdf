import { expect, it } from 'vitest';
import { Graph } from '../compute/graph/graph.ts';
import type { Tensor } from '../compute/runtime/engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { Random } from '../util/random.ts';
import { pooledLogits } from './splade-pooling.ts';
import { declareTokenLayout, packTokens } from './token-layout.ts';
import { tokenMajorLogits } from './token-major-pooling.ts';

it.each([true, false])('token by token, the largest logits are the same (bias: %s), over two tiles', async (biased) => {
  const [vocabulary, width] = [2050, 3];
  const random = new Random(1);
  const lengths = [2, 5, 1, 4, 5];
  const packed = packTokens(
    lengths.map((length) => new Int32Array(length)),
    { buckets: 2, heads: 1, headSize: width },
  );
  const graph = new Graph();
  const layout = declareTokenLayout(graph, packed.bucketCount);
  const hidden = graph.feed('hidden', 'float32', ['T', width]);
  const weight = graph.feed('weight', 'float32', [vocabulary, width]);
  const bias = biased ? graph.feed('bias', 'float32', [vocabulary]) : undefined;
  graph.output('by term', pooledLogits(hidden, weight, bias, layout, false));
  graph.output('by token', tokenMajorLogits(hidden, weight, bias, layout));
  const normal = (dims: number[]): Tensor => ({
    dtype: 'float32',
    dims,
    data: Float32Array.from({ length: dims.reduce((product, dim) => product * dim, 1) }, () => random.normal()),
  });
  const program = await (await openReferenceEngine()).compile(graph);
  const feeds = Object.fromEntries(Object.entries(packed.feeds).filter(([name]) => graph.feeds.has(name)));
  const result = await program.run({
    ...feeds,
    hidden: normal([packed.tokenCount, width]),
    weight: normal([vocabulary, width]),
    ...(biased && { bias: normal([vocabulary]) }),
  });
  expect(result['by token']).toEqual(result['by term']);
  expect(result['by term']!.dims).toEqual([vocabulary, lengths.length]);
});
