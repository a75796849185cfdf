/** The layers that every family is made of, over weights found by their name. */
import type { Graph, Value } from '../compute/graph/graph.ts';
import { Gather, LayerNormalization, Linear } from '../compute/graph/ops/index.ts';

/** Options of {@link linear} and {@link layerNorm}. */
export interface NamedLayerOptions {
  /** Whether the layer has a bias. @default true */
  readonly bias?: boolean;
}

/**
 * A linear layer of `outputs` features.
 * @param x [T, inputs]
 */
export function linear(x: Value, name: string, outputs: number, { bias = true }: NamedLayerOptions = {}): Value {
  const weight = x.graph.variable(`${name}.weight`, [outputs, x.dims[1] as number]);
  return Linear(x, weight, bias ? x.graph.variable(`${name}.bias`, [outputs]) : undefined);
}

/**
 * A layer normalisation.
 * @param x [T, features]
 */
export function layerNorm(x: Value, name: string, epsilon: number, { bias = true }: NamedLayerOptions = {}): Value {
  const width = x.dims[1] as number;
  const weight = x.graph.variable(`${name}.weight`, [width]);
  return LayerNormalization(x, weight, bias ? x.graph.variable(`${name}.bias`, [width]) : undefined, epsilon);
}

/** Rows of a table of embeddings, [ids, width]. */
export function embedding(graph: Graph, name: string, [rows, width]: readonly [number, number], ids: Value): Value {
  return Gather(graph.variable(`${name}.weight`, [rows, width]), ids);
}
