/**
 * Exports a model as ONNX: a model folder as always, with its graphs beside the weights, where Transformers.js,
 * sentence-transformers (`backend="onnx"`) and optimum look for them.
 *
 *     onnx/model.onnx     input_ids, attention_mask[, token_type_ids] → logits [batch_size, sequence_length, V]
 *     onnx/splade.onnx    the same inputs → weights [batch_size, V], pooled
 *     onnx/model.onnx_data   the parameters of both, where they are more than 2 GB
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { type ModelFolder, openModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import { droppedTerms } from '../model/dropped-terms.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import { badInput } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import { logitsGraph, spladeGraph } from './onnx/exported-graphs.ts';
import { writeOnnxFiles } from './onnx/onnx-file.ts';

const logitsFile = 'model.onnx';
const spladeFile = 'splade.onnx';
const dataFile = 'model.onnx_data';

const guide = `## ONNX

\`onnx/${logitsFile}\` gives the logits of every token, [batch_size, sequence_length, vocabulary]; \`onnx/${spladeFile}\` gives
the vectors themselves, [batch_size, vocabulary]. With Transformers.js:

\`\`\`js
import { AutoModelForMaskedLM, AutoTokenizer } from '@huggingface/transformers';

const tokenizer = await AutoTokenizer.from_pretrained('path/to/this/folder');
const model = await AutoModelForMaskedLM.from_pretrained('path/to/this/folder', { dtype: 'fp32' });
const { logits } = await model(tokenizer(['a text'], { padding: true, truncation: true }));
// max over the tokens of a text (attention_mask 1) of log(1 + max(logit, 0))
\`\`\``;

/** What is exported. */
export interface OnnxExportOptions {
  /** Model folder of any layout. */
  readonly model: string;
  /** Folder to write. */
  readonly output: string;
  /** Bytes of parameters up to which an ONNX file holds them itself: protobuf ends at 2 GB. @default 2e9 */
  readonly mostInside?: number | undefined;
  /** SHA-256 of the files of the model, for the manifest. */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What was written. */
export interface OnnxExport {
  /** Files of the graphs, by path in the folder. */
  readonly files: readonly string[];
  readonly inputs: readonly string[];
  /** Width of logits and weights. */
  readonly vocabularySize: number;
}

/**
 * Writes the folder, whole or not at all. Numbers are float32.
 * @throws LexrayError USAGE when the output exists and `force` is not set; BAD_INPUT when the model does not fit
 */
export async function exportOnnx(options: OnnxExportOptions): Promise<OnnxExport> {
  const { onWarning, onProgress, signal } = options;
  const model = await openModelFolder(options.model, { onWarning });
  try {
    requireSharedEncoder(model, 'export --to onnx');
    const { checkpoint, pooling } = model;
    const { config, family } = checkpoint;
    if (pooling.strategy !== 'max') {
      throw badInput(`expected max pooling, got ${pooling.strategy}`, {
        where: options.model,
        cure: 'the pooled graph knows the maximum only',
      });
    }
    if (model.maxActiveDims !== undefined) {
      onWarning?.(
        `${options.model} keeps the ${model.maxActiveDims} heaviest terms of a vector; ${spladeFile} gives all of them`,
      );
    }
    const logits = logitsGraph(config);
    const graphs = {
      [logitsFile]: logits,
      [spladeFile]: spladeGraph(config, pooling.activation, await termsLeftOut(model)),
    };
    const bytes = family.weights(config).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const outside = bytes > (options.mostInside ?? 2e9) ? dataFile : undefined;
    await writeFolderAtomic(
      options.output,
      async (folder) => {
        await copyModel(folder, model, outside === undefined ? config : withDataFile(config), options);
        await mkdir(join(folder, 'onnx'));
        await writeOnnxFiles(join(folder, 'onnx'), graphs, checkpoint.loadWeights(), {
          dataFile: outside,
          signal,
          onProgress,
        });
      },
      { force: options.force ?? false },
    );
    return {
      files: [...Object.keys(graphs), ...(outside === undefined ? [] : [outside])].map((name) => `onnx/${name}`),
      inputs: [...logits.feeds.keys()],
      vocabularySize: family.shape(config).vocabularySize,
    };
  } finally {
    await model.close();
  }
}

async function termsLeftOut({ policy, tokenizerFolder, checkpoint }: ModelFolder): Promise<ReadonlySet<number>> {
  return droppedTerms(policy, checkpoint.config, await loadTokenizer(tokenizerFolder));
}

/** Transformers.js must be told that a graph has its parameters outside, and in how many files. */
function withDataFile(config: ModelConfig): ModelConfig {
  return { ...config, 'transformers.js_config': { use_external_data_format: { [logitsFile]: 1 } } } as ModelConfig;
}

async function copyModel(
  folder: string,
  model: ModelFolder,
  config: ModelConfig,
  { parents, signal, onProgress }: OnnxExportOptions,
): Promise<void> {
  const { checkpoint, tokenizerFolder: tokenizer, pooling, maxSequenceLength, maxActiveDims, policy } = model;
  const head = model.manifest?.config.head;
  await writeModelFolder(
    folder,
    {
      config,
      weights: checkpoint.loadWeights(),
      tokenizer,
      pooling,
      maxSequenceLength,
      maxActiveDims,
      policy,
      card: { tags: ['onnx', 'transformers.js'], body: guide },
      origin: { config: { exported: 'onnx', ...(head === undefined ? {} : { head }) }, parents },
    },
    { signal, onProgress },
  );
}
