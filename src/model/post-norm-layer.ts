/**
 * A transformer layer whose sublayers are followed by their LayerNorm (Vaswani et al., arXiv 1706.03762), as BERT,
 * DistilBERT, RoBERTa and ALBERT have it: y = norm(x + attention(x)), z = norm(y + W₂·act(W₁·y)).
 */
import type { Value } from '../compute/graph/graph.ts';
import { Add, Concat, splitBlocks } from '../compute/graph/ops/index.ts';
import { attention } from './attention.ts';
import type { Dropout } from './dropout.ts';
import { layerNorm, linear } from './named-layers.ts';
import type { TokenLayout } from './token-layout.ts';

/** Names of a layer's weights, without `.weight` and `.bias`. */
export interface PostNormNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly attentionOutput: string;
  readonly attentionNorm: string;
  /** W₁ */
  readonly inner: string;
  /** W₂ */
  readonly outer: string;
  readonly outputNorm: string;
}

/** What a layer is like. */
export interface PostNormOptions {
  readonly heads: number;
  /** Width of the feed-forward layer. */
  readonly innerSize: number;
  readonly activation: (x: Value) => Value;
  readonly epsilon: number;
  /** Whether the feed-forward layer's output passes through dropout; ALBERT's does not. @default true */
  readonly outerDropout?: boolean;
}

/**
 * @param x [T, D]
 * @returns [T, D]
 */
export function postNormLayer(
  x: Value,
  names: PostNormNames,
  options: PostNormOptions,
  layout: TokenLayout,
  dropout: Dropout,
): Value {
  const { heads, epsilon } = options;
  const hidden = x.dims[1] as number;
  const query = linear(x, names.query, hidden);
  const key = linear(x, names.key, hidden);
  const value = linear(x, names.value, hidden);
  const mixed = attention(query, key, value, heads, layout);
  const projected = dropout.apply(linear(mixed, names.attentionOutput, hidden));
  const middle = layerNorm(Add(x, projected), names.attentionNorm, epsilon);
  const outers = splitBlocks(middle, layout.blocks).map((block) =>
    linear(options.activation(linear(block, names.inner, options.innerSize)), names.outer, hidden),
  );
  const outer = Concat(outers, 0, middle.dims[0]!);
  const added = options.outerDropout === false ? outer : dropout.apply(outer);
  const output = layerNorm(Add(middle, added), names.outputNorm, epsilon);
  output.graph.layerOutputs.push(output);
  return output;
}
