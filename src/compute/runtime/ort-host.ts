/**
 * onnxruntime with resident variables: what runs inside the worker. `run` blocks its thread, which is why it has one
 * of its own. Measured traits that shape it (onnxruntime-node 1.30.0): inputs are zero-copy views; outputs given
 * beforehand are written in place; shared memory is rejected; tensors must be disposed of.
 */
import { MessageChannel } from 'node:worker_threads';
import type * as Ort from 'onnxruntime-node';
import { LexrayError } from '../../util/errors.ts';
import type { PackedRows, WeightPrecision } from '../graph/compact-weights.ts';
import { gradientPrefix } from '../graph/onnx-writer.ts';
import { addScatter, type ScatterOutputs } from '../graph/scatter-gradient.ts';
import { isCompact } from './compact-matrix.ts';
import { CompactStore } from './compact-store.ts';
import { fillDropoutMask } from './dropout-mask.ts';
import type { AdamWStep, DropoutFeed, RunOptions, Tensor, VariablePart, VariableSpec } from './engine.ts';
import { VariableStore } from './variable-store.ts';

/** What the host needs to know of a graph besides its ONNX bytes. */
export interface CompiledGraph {
  readonly onnx: Uint8Array;
  readonly variables: readonly string[];
  /** Parts of int8 matrices that it takes as constants. */
  readonly packed: readonly PackedRows[];
  readonly gradients: readonly string[];
  readonly outputs: readonly string[];
  /** Variables of which a dense gradient comes out of the graph. */
  readonly denseGradients: readonly string[];
  readonly scatters: readonly ScatterOutputs[];
}

interface Session {
  readonly session: Ort.InferenceSession;
  readonly variables: readonly string[];
  readonly fetches: Readonly<Record<string, Ort.Tensor | null>>;
  readonly outputs: readonly string[];
  readonly denseGradients: readonly string[];
  readonly scatters: readonly ScatterOutputs[];
  /** Variables whose gradient is made of scatters alone, and starts from zero. */
  readonly cleared: readonly string[];
}

/** Loads onnxruntime-node. */
async function importOrt(): Promise<typeof Ort> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new LexrayError('ENGINE_MISSING', 'onnxruntime-node is not installed or does not load here', {
      cause,
      cure: 'run: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1.30.0 (skip leaves out the CUDA download only)',
    });
  }
}

/** Sessions and variables of one engine. */
export class OrtHost {
  readonly #ort: typeof Ort;
  readonly #threads: number;
  readonly #weights: WeightPrecision;
  readonly #sessions = new Map<number, Session>();
  readonly #gradients = new Set<string>();
  readonly #compact = new CompactStore();
  #store = new VariableStore([]);
  #nextSession = 0;

  private constructor(ort: typeof Ort, threads: number, weights: WeightPrecision) {
    this.#ort = ort;
    this.#threads = threads;
    this.#weights = weights;
  }

  static async create(threads: number, weights: WeightPrecision): Promise<OrtHost> {
    return new OrtHost(await importOrt(), threads, weights);
  }

  createVariables(specs: readonly VariableSpec[]): void {
    const precision = this.#weights;
    if (precision !== 'float32') this.#compact.create(specs.filter(isCompact), precision);
    this.#store = new VariableStore(specs.filter(({ name }) => !this.#compact.has(name)));
  }

  writeVariable(name: string, part: VariablePart, data: Float32Array): void {
    if (this.#compact.has(name)) {
      this.#compact.write(name, part, data);
      return;
    }
    const view = this.#store.view(name, part);
    if (view.length !== data.length) {
      throw new LexrayError('FAILED', `variable ${name}: ${view.length} elements expected, got ${data.length}`);
    }
    view.set(data);
    if (part === 'gradient') this.#gradients.add(name);
  }

  readVariable(name: string, part: VariablePart): Float32Array<ArrayBuffer> {
    return this.#compact.has(name) ? this.#compact.read(name, part) : this.#store.view(name, part).slice();
  }

  async compile(graph: CompiledGraph): Promise<number> {
    const model = graph.packed.length === 0 ? graph.onnx : this.#compact.withConstants(graph.onnx, graph.packed);
    const session = await this.#ort.InferenceSession.create(model, {
      intraOpNumThreads: this.#threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // The graph is written as it is to be run; onnxruntime's rewriting gains nothing measurable and changes the order.
      graphOptimizationLevel: 'disabled',
      // A plan made at the first run would be allocated beside what that run took, and be made again for other shapes.
      enableMemPattern: false,
      // Fatal only: errors come as exceptions.
      logSeverityLevel: 4,
      // Waiting threads would burn a core each between steps, and slow everything down on a shared machine.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    const fetches: Record<string, Ort.Tensor | null> = {};
    for (const name of graph.outputs) fetches[name] = null;
    for (const name of graph.denseGradients) fetches[gradientPrefix + name] = this.#tensor(name, 'gradient');
    for (const { operands } of graph.scatters) for (const name of Object.values(operands)) fetches[name] = null;
    for (const name of graph.gradients) this.#gradients.add(name);
    const cleared = graph.gradients.filter((name) => !graph.denseGradients.includes(name));
    const id = this.#nextSession++;
    const { variables, outputs, denseGradients, scatters } = graph;
    this.#sessions.set(id, { session, variables, fetches, outputs, denseGradients, scatters, cleared });
    return id;
  }

  async run(
    id: number,
    feeds: Readonly<Record<string, Tensor | DropoutFeed>>,
    options: RunOptions,
  ): Promise<Record<string, Tensor>> {
    const { session, variables, fetches, outputs, denseGradients, scatters, cleared } = this.#session(id);
    const adds = options.gradients === 'add';
    const denseOutputs = denseGradients.map((name) => gradientPrefix + name);
    const asked = adds ? { ...fetches, ...Object.fromEntries(denseOutputs.map((output) => [output, null])) } : fetches;
    const inputs: Record<string, Ort.Tensor> = {};
    for (const name of variables) inputs[name] = this.#variable(name);
    for (const [name, feed] of Object.entries(feeds)) inputs[name] = this.#feed(feed);
    const results = await session.run(inputs, asked);
    if (adds) {
      denseGradients.forEach((name, i) => {
        this.#store.addToGradient(name, results[denseOutputs[i]!]!.data as Float32Array);
      });
    } else {
      for (const name of cleared) this.#store.view(name, 'gradient').fill(0);
    }
    for (const { variable, kind, operands } of scatters) {
      addScatter(this.#store.view(variable, 'gradient'), kind, (operand) => {
        const { data, dims } = results[operands[operand]!]!;
        return { data: data as Float32Array | BigInt64Array, dims };
      });
    }
    const returned: Record<string, Tensor> = {};
    for (const [name, tensor] of Object.entries(results)) {
      if (outputs.includes(name)) {
        const dtype = tensor.type as Tensor['dtype'];
        const data = tensor.data as Tensor['data'];
        // The memory of a result belongs to onnxruntime; a copy survives the disposal and can be transferred.
        returned[name] = { dtype, dims: [...tensor.dims], data: data.slice() };
      }
      free(tensor, asked[name] ?? undefined);
    }
    return returned;
  }

  async disposeProgram(id: number): Promise<void> {
    const { session } = this.#session(id);
    this.#sessions.delete(id);
    await session.release();
  }

  async dispose(): Promise<void> {
    for (const id of [...this.#sessions.keys()]) await this.disposeProgram(id);
  }

  adamW(step: AdamWStep): number {
    return this.#store.adamW(step, this.#gradients);
  }

  #session(id: number): Session {
    const session = this.#sessions.get(id);
    if (!session) throw new LexrayError('FAILED', 'the program was disposed of');
    return session;
  }

  #variable(name: string): Ort.Tensor {
    const compact = this.#compact.input(name);
    if (!compact) return this.#tensor(name, 'value');
    return new this.#ort.Tensor(compact.dtype, compact.data as Float32Array, compact.dims) as Ort.Tensor;
  }

  #tensor(name: string, part: VariablePart): Ort.Tensor {
    return new this.#ort.Tensor('float32', this.#store.view(name, part), this.#store.spec(name).dims);
  }

  #feed(feed: Tensor | DropoutFeed): Ort.Tensor {
    if ('dropout' in feed) {
      const mask = new Float32Array(feed.dims.reduce((product, dim) => product * dim, 1));
      fillDropoutMask(mask, feed.dropout.rate, feed.dropout.seed);
      return new this.#ort.Tensor('float32', mask, feed.dims);
    }
    return new this.#ort.Tensor(feed.dtype, feed.data as Float32Array, feed.dims) as Ort.Tensor;
  }
}

const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * Gives the memory of a result back at once: sent to a port that is closed, it belongs to nobody. Left to the garbage
 * collector, the gradients of one step are still there when those of the next are copied out.
 * @param given the tensor over a variable that the result was written to, of which it is a copy
 */
function free(result: Ort.Tensor, given: Ort.Tensor | undefined): void {
  const { buffer } = result.data as Tensor['data'];
  const isCopy = (given?.data as Tensor['data'] | undefined)?.buffer !== buffer;
  result.dispose();
  if (isCopy) nowhere.postMessage(null, [buffer as ArrayBuffer]);
}
