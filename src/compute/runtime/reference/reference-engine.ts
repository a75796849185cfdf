/**
 * The reference engine: every operator computed slowly and obviously, in this thread. It is the oracle of the other
 * engines and of the gradients, and it needs neither onnxruntime nor WebAssembly. `interpret.ts` gives the same
 * results in double precision, as finite differences need them.
 */
import { LexrayError } from '../../../util/errors.ts';
import type { Graph } from '../../graph/graph.ts';
import { fillDropoutMask } from '../dropout-mask.ts';
import type { AdamWStep, DropoutFeed, Engine, Program, Tensor, VariablePart, VariableSpec } from '../engine.ts';
import { checkFeeds, checkVariables, signatureOf } from '../program-signature.ts';
import { interpretedGradients } from './gradients.ts';
import { type InterpretedGraph, interpret, type Precision } from './interpret.ts';
import { kernelFor } from './kernels.ts';
import { fromTensor, type ReferenceTensor, sizeOf, toTensor } from './tensor.ts';
import { ReferenceVariables } from './variables.ts';

/** Options of the reference engine. */
export interface ReferenceEngineOptions {
  /** Whether variables and results are rounded to float32 at each step. @default 'float64' */
  readonly precision?: Precision;
}

/** Interprets graphs. Open one with {@link openReferenceEngine}. */
class ReferenceEngine implements Engine {
  readonly name = 'reference';
  readonly #precision: Precision;
  /** Variables that have a gradient: only these does an optimizer step update. */
  readonly #withGradient = new Set<string>();
  #variables: ReferenceVariables;
  #created = false;
  #closed = false;

  constructor(precision: Precision) {
    this.#precision = precision;
    this.#variables = new ReferenceVariables([], precision);
  }

  async createVariables(specs: readonly VariableSpec[]): Promise<void> {
    this.#checkOpen();
    if (this.#created) throw new LexrayError('FAILED', 'the variables of this engine have been created already');
    this.#variables = new ReferenceVariables(specs, this.#precision);
    this.#created = true;
  }

  async writeVariable(name: string, part: VariablePart, data: Float32Array): Promise<void> {
    this.#open().write(name, part, data);
    if (part === 'gradient') this.#withGradient.add(name);
  }

  async readVariable(name: string, part: VariablePart): Promise<Float32Array> {
    return Float32Array.from(this.#open().read(name, part));
  }

  async compile(graph: Graph): Promise<Program> {
    const variables = this.#open();
    const signature = signatureOf(graph);
    checkVariables(signature, variables.specs);
    for (const node of graph.nodes) kernelFor(node);
    const compiled: InterpretedGraph = {
      nodes: [...graph.nodes],
      constants: new Map(graph.constants),
      variables: new Map(graph.variables),
      feeds: new Map(graph.feeds),
    };
    const outputs = [...graph.outputs];
    const differentiated = {
      variables: compiled.variables,
      gradientOutputs: new Map(graph.gradientOutputs),
      scatterGradients: new Map(graph.scatterGradients),
    };
    for (const name of signature.gradients) this.#withGradient.add(name);
    let disposed = false;
    const checkUsable = (): void => {
      this.#checkOpen();
      if (disposed) throw new LexrayError('FAILED', 'the program was disposed of');
    };
    return {
      run: async (feeds, options = {}) => {
        checkUsable();
        checkFeeds(signature, feeds);
        const inputs = new Map<string, ReferenceTensor>();
        for (const name of compiled.variables.keys()) inputs.set(name, variables.tensor(name));
        for (const [name, feed] of Object.entries(feeds)) inputs.set(name, feedTensor(feed));
        const values = interpret(compiled, inputs, this.#precision);
        for (const [name, gradient] of interpretedGradients(differentiated, values)) {
          const kept = options.gradients === 'add' ? variables.read(name, 'gradient') : undefined;
          variables.write(name, 'gradient', kept ? gradient.map((x, i) => x + kept[i]!) : gradient);
        }
        return Object.fromEntries(outputs.map(([name, value]) => [name, toTensor(values.get(value.name)!)]));
      },
      dispose: async () => {
        checkUsable();
        disposed = true;
      },
    };
  }

  async adamW(step: AdamWStep): Promise<{ gradientNorm: number }> {
    return { gradientNorm: this.#open().adamW(step, this.#withGradient) };
  }

  async dispose(): Promise<void> {
    this.#closed = true;
  }

  #open(): ReferenceVariables {
    this.#checkOpen();
    return this.#variables;
  }

  #checkOpen(): void {
    if (this.#closed) throw new LexrayError('FAILED', 'the engine has been closed');
  }
}

function feedTensor(feed: Tensor | DropoutFeed): ReferenceTensor {
  if (!('dropout' in feed)) return fromTensor(feed);
  const mask = new Float32Array(sizeOf(feed.dims));
  fillDropoutMask(mask, feed.dropout.rate, feed.dropout.seed);
  return fromTensor({ dtype: 'float32', dims: feed.dims, data: mask });
}

/** Opens a reference engine. */
export async function openReferenceEngine(options: ReferenceEngineOptions = {}): Promise<Engine> {
  return new ReferenceEngine(options.precision ?? 'float64');
}
