/**
 * One step of masked language modelling: from masked sequences to the loss and the gradients of all variables, which stay
 * in the engine; and the same without gradients, for texts that are held out.
 */
import type { ModelConfig } from '../../checkpoint/families/model-family.ts';
import { modelShape } from '../../checkpoint/families/registry.ts';
import { addGradients } from '../../compute/graph/autodiff.ts';
import { Graph } from '../../compute/graph/graph.ts';
import type { Engine, Program, Tensor } from '../../compute/runtime/engine.ts';
import type { Dropout } from '../../model/dropout.ts';
import { type Decoder, type MaskedPart, maskedCrossEntropy, maskedFigures } from '../../model/masked-cross-entropy.ts';
import { buildHeadGraph } from '../../model/splade-graph.ts';
import { packTokens } from '../../model/token-layout.ts';
import { badInput } from '../../util/errors.ts';
import type { StepSeed } from '../side-encoder.ts';

/** A sequence with masked positions. */
export interface MaskedSequence {
  /** Token ids as the model sees them. */
  readonly ids: Int32Array;
  /** Places in the sequence at which something is to be predicted, ascending. */
  readonly positions: Int32Array;
  /** The row of the decoder that is right at each of them. */
  readonly labels: Int32Array;
}

/** Options of {@link MaskedStep}. */
export interface MaskedStepOptions {
  /** Length buckets of a batch. */
  readonly buckets: number;
  readonly dropoutRate: number;
  /** Bytes that the softmaxes of one part may take; see `masked-cross-entropy.ts`. @default 256 MiB */
  readonly softmaxBytes?: number | undefined;
  /** Declares a decoder in a graph. @default the model's own */
  readonly decoder?: ((graph: Graph) => Decoder) | undefined;
}

/** What changes from step to step. */
export interface MaskedStepSettings extends StepSeed {
  /** Share of this batch in the gradient of a step, where a step is made of several. @default 1 */
  readonly batchWeight?: number | undefined;
  /** Whether gradients replace those in the engine or are added to them. @default 'replace' */
  readonly gradients?: 'replace' | 'add' | undefined;
}

/** What a step found, before the weights are updated. */
export interface MaskedStepResult {
  /** Mean cross-entropy at the masked positions. */
  readonly loss: number;
  readonly maskedCount: number;
  /** Tokens of the batch, padding not counted. */
  readonly tokenCount: number;
}

/** What was found at the masked positions, sequence by sequence in the order of the batch. */
export interface MaskedEvaluation {
  /** Sum of the cross-entropies. */
  readonly loss: number;
  /** Positions at which the label had the largest logit. */
  readonly correct: number;
  readonly maskedCount: number;
}

interface Compiled {
  readonly program: Program;
  readonly dropout: Dropout;
}

/** Forward and backward passes of a masked language model. */
export class MaskedStep {
  readonly #engine: Engine;
  readonly #config: ModelConfig;
  readonly #options: MaskedStepOptions & { readonly softmaxBytes: number };
  readonly #vocabularySize: number;
  readonly #compiled = new Map<string, Promise<Compiled>>();

  constructor(engine: Engine, config: ModelConfig, options: MaskedStepOptions) {
    this.#engine = engine;
    this.#config = config;
    this.#options = { ...options, softmaxBytes: options.softmaxBytes ?? 256 * 2 ** 20 };
    this.#vocabularySize = modelShape(config).vocabularySize;
  }

  /**
   * Computes loss and gradients of a batch.
   * @throws LexrayError BAD_INPUT when nothing is masked
   */
  async run(batch: readonly MaskedSequence[], settings: MaskedStepSettings): Promise<MaskedStepResult> {
    const { seed, step, batchWeight = 1, gradients = 'replace' } = settings;
    const { feeds, masked, tokenCount, buckets } = this.#prepare(batch);
    const bytes = masked.rows.length * this.#vocabularySize * 4;
    const parts = Math.min(masked.rows.length, Math.ceil(bytes / this.#options.softmaxBytes));
    const { program, dropout } = await this.#compile('train', buckets, parts);
    const weight = batchWeight / masked.rows.length;
    const partFeeds = Array.from({ length: parts }, (_, i) => {
      const bounds = [i, i + 1].map((part) => Math.round((part * masked.rows.length) / parts)) as [number, number];
      return feedsOfPart(i, masked, bounds, weight);
    });
    const outputs = await program.run(
      { ...feeds, ...Object.assign({}, ...partFeeds), ...dropout.feeds({ T: tokenCount }, seed, step) },
      { gradients },
    );
    const loss = (outputs.loss!.data as Float32Array)[0]! / batchWeight;
    return { loss, maskedCount: masked.rows.length, tokenCount };
  }

  /** Computes loss and accuracy of a batch, without dropout. */
  async evaluate(batch: readonly MaskedSequence[]): Promise<MaskedEvaluation> {
    const { feeds, masked, buckets } = this.#prepare(batch);
    const { program } = await this.#compile('evaluate', buckets, 1);
    const outputs = await program.run({ ...feeds, ...feedsOfPart(0, masked, [0, masked.rows.length], 1) });
    const losses = outputs.losses!.data as Float32Array;
    const predictions = outputs.predictions!.data as BigInt64Array;
    let correct = 0;
    for (const [i, label] of masked.labels.entries()) if (Number(predictions[i]) === label) correct++;
    return { loss: losses.reduce((sum, loss) => sum + loss, 0), correct, maskedCount: masked.rows.length };
  }

  #prepare(batch: readonly MaskedSequence[]): {
    readonly feeds: Readonly<Record<string, Tensor>>;
    readonly masked: MaskedPositions;
    readonly tokenCount: number;
    readonly buckets: number;
  } {
    const packed = packTokens(
      batch.map(({ ids }) => ids),
      { buckets: this.#options.buckets, ...modelShape(this.#config) },
    );
    const firstTokens = packed.feeds.firstTokens!.data as BigInt64Array;
    const rows = batch.flatMap(({ positions }, i) => {
      const first = Number(firstTokens[packed.columns[i]!]);
      return Array.from(positions, (position) => first + position);
    });
    if (rows.length === 0) throw badInput('a batch has no masked position', { cure: 'raise the masking rate' });
    const labels = batch.flatMap((sequence) => [...sequence.labels]);
    const { feeds, tokenCount, bucketCount } = packed;
    return { feeds, masked: { rows, labels }, tokenCount, buckets: bucketCount };
  }

  #compile(kind: 'train' | 'evaluate', buckets: number, parts: number): Promise<Compiled> {
    const key = [kind, buckets, parts].join();
    let compiled = this.#compiled.get(key);
    if (compiled === undefined) {
      const graph = new Graph();
      const dropoutRate = kind === 'train' ? this.#options.dropoutRate : 0;
      const { hidden, dropout, ...own } = buildHeadGraph(graph, this.#config, {
        buckets,
        dropoutRate,
        trained: kind === 'train',
      });
      const decoder = this.#options.decoder?.(graph) ?? own;
      const declared = Array.from({ length: parts }, (_, i) => declarePart(graph, i));
      if (kind === 'train') {
        const loss = maskedCrossEntropy(hidden, decoder, declared);
        graph.output('loss', loss);
        addGradients(graph, loss);
      } else {
        const { losses, predictions } = maskedFigures(hidden, decoder, declared[0]!);
        graph.output('losses', losses);
        graph.output('predictions', predictions);
      }
      compiled = this.#engine.compile(graph).then((program) => ({ program, dropout }));
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}

/** Masked positions of a batch, by packed row. */
interface MaskedPositions {
  readonly rows: readonly number[];
  readonly labels: readonly number[];
}

function declarePart(graph: Graph, number: number): MaskedPart {
  const M = `M${number}`;
  return {
    rows: graph.feed(`maskedRows${number}`, 'int64', [M]),
    labels: graph.feed(`labels${number}`, 'int64', [M]),
    weights: graph.feed(`maskedWeights${number}`, 'float32', [M, 1]),
  };
}

function feedsOfPart(
  number: number,
  { rows, labels }: MaskedPositions,
  [start, end]: readonly [number, number],
  weight: number,
): Record<string, Tensor> {
  const ids = (values: readonly number[]): Tensor => {
    const data = BigInt64Array.from(values.slice(start, end), BigInt);
    return { dtype: 'int64', dims: [data.length], data };
  };
  const weights = new Float32Array(end - start).fill(weight);
  return {
    [`maskedRows${number}`]: ids(rows),
    [`labels${number}`]: ids(labels),
    [`maskedWeights${number}`]: { dtype: 'float32', dims: [weights.length, 1], data: weights },
  };
}
