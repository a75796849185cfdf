/**
 * What a program takes and gives, and the checks that every engine makes of it: variables when it is compiled, feeds
 * when it is run. A graph may go on growing after it was compiled; its signature stays.
 */
import { LexrayError } from '../../util/errors.ts';
import type { DataType, Dimensions, Graph } from '../graph/graph.ts';
import type { DropoutFeed, Tensor, TensorData, VariableSpec } from './engine.ts';

/** Inputs and outputs of a program by name. */
export interface ProgramSignature {
  readonly variables: ReadonlyMap<string, Dimensions>;
  readonly feeds: ReadonlyMap<string, { readonly dtype: DataType; readonly dims: Dimensions }>;
  readonly outputs: readonly string[];
  readonly gradients: readonly string[];
}

/** The signature of a graph as it is now. */
export function signatureOf(graph: Graph): ProgramSignature {
  return {
    variables: new Map([...graph.variables].map(([name, { dims }]) => [name, dims])),
    feeds: new Map([...graph.feeds].map(([name, { dtype, dims }]) => [name, { dtype: dtype as DataType, dims }])),
    outputs: [...graph.outputs.keys()],
    gradients: [...new Set([...graph.gradientOutputs.keys(), ...graph.scatterGradients.keys()])],
  };
}

/**
 * Variables by name.
 * @throws LexrayError when a name comes twice
 */
export function variablesByName(specs: readonly VariableSpec[]): Map<string, VariableSpec> {
  const byName = new Map<string, VariableSpec>();
  for (const spec of specs) {
    if (byName.has(spec.name)) throw new LexrayError('FAILED', `variable ${spec.name} is declared twice`);
    byName.set(spec.name, spec);
  }
  return byName;
}

/**
 * Checks that an engine has the variables of a program.
 * @throws LexrayError when one is unknown, of another shape, or not trainable although the program puts out its gradient
 */
export function checkVariables(signature: ProgramSignature, known: ReadonlyMap<string, VariableSpec>): void {
  for (const [name, dims] of signature.variables) {
    const spec = known.get(name);
    if (!spec) throw new LexrayError('FAILED', `unknown variable ${name}`);
    if (dims.join() !== spec.dims.join()) {
      throw new LexrayError('FAILED', `variable ${name}: the graph says [${dims}], the engine [${spec.dims}]`);
    }
  }
  for (const name of signature.gradients) {
    if (!known.get(name)?.trainable) {
      throw new LexrayError('FAILED', `variable ${name} is not trainable: it has no gradient`);
    }
  }
}

/**
 * Checks that feeds are those that a program takes.
 * @throws LexrayError when one is missing, unknown, or of another type or shape
 */
export function checkFeeds(signature: ProgramSignature, feeds: Readonly<Record<string, Tensor | DropoutFeed>>): void {
  const sizes = new Map<string, number>();
  for (const name of Object.keys(feeds)) {
    if (!signature.feeds.has(name)) throw new LexrayError('FAILED', `unknown feed ${name}`);
  }
  for (const [name, declared] of signature.feeds) {
    const feed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (!feed) throw new LexrayError('FAILED', `the feed ${name} is missing`);
    const dtype = 'dropout' in feed ? 'float32' : feed.dtype;
    const fits =
      dtype === declared.dtype &&
      feed.dims.length === declared.dims.length &&
      declared.dims.every((dim, axis) => {
        const size = feed.dims[axis]!;
        if (typeof dim === 'number') return dim === size;
        const known = sizes.get(dim);
        sizes.set(dim, known ?? size);
        return known === undefined || known === size;
      });
    if (!fits) {
      const expected = declared.dims.map((dim) => (sizes.has(`${dim}`) ? `${dim} = ${sizes.get(`${dim}`)}` : dim));
      throw new LexrayError(
        'FAILED',
        `feed ${name}: ${declared.dtype} [${expected.join(', ')}] expected, got ${dtype} [${feed.dims.join(', ')}]`,
      );
    }
    checkContent(name, feed);
  }
}

const arrays: Readonly<Record<DataType, new (length: number) => TensorData>> = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
};

function checkContent(name: string, feed: Tensor | DropoutFeed): void {
  if ('dropout' in feed) {
    const { rate, seed } = feed.dropout;
    if (!(rate >= 0 && rate < 1)) {
      throw new LexrayError('FAILED', `feed ${name}: a dropout rate in [0, 1) expected, got ${rate}`);
    }
    if (!Number.isInteger(seed)) throw new LexrayError('FAILED', `feed ${name}: an integer seed expected, got ${seed}`);
    return;
  }
  const array = arrays[feed.dtype];
  if (!(feed.data instanceof array)) {
    throw new LexrayError('FAILED', `feed ${name}: ${feed.dtype} is given as ${array.name}`);
  }
  const elements = feed.dims.reduce((product, dim) => product * dim, 1);
  if (feed.data.length !== elements) {
    throw new LexrayError('FAILED', `feed ${name}: [${feed.dims}] has ${elements} elements, got ${feed.data.length}`);
  }
}
