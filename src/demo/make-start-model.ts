/** The demo's starting point: a WordPiece vocabulary trained on its texts, and a BERT with random weights. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFamily } from '../checkpoint/families/registry.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import { trainWordPiece } from '../tokenizer/train-word-piece.ts';
import { writeTokenizer } from '../tokenizer/write-tokenizer.ts';
import type { ProgressListener } from '../util/progress.ts';
import { demoModel } from './recipe.ts';

/** Options of {@link makeStartModel}. */
export interface StartModelOptions {
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Writes a model folder with random weights. @returns the size of its vocabulary */
export async function makeStartModel(
  folder: string,
  texts: Iterable<string>,
  options: StartModelOptions,
): Promise<number> {
  const { hiddenSize, heads, layers, maxPositions, vocabularySize } = demoModel;
  const tokenizer = trainWordPiece(texts, { ...options, vocabularySize });
  const tokens = Object.keys(tokenizer.model.vocab).length;
  const config = findFamily('bert', 'the demo').configSchema.parse({
    model_type: 'bert',
    vocab_size: tokens,
    hidden_size: hiddenSize,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 4 * hiddenSize,
    max_position_embeddings: maxPositions,
  });
  const tokenizerFolder = await mkdtemp(join(tmpdir(), 'lexray-tokenizer-'));
  try {
    await writeTokenizer(tokenizerFolder, tokenizer, { modelMaxLength: maxPositions });
    await writeModelFolder(folder, {
      config,
      weights: initializeWeights(config, {
        seed: options.seed,
        embeddingDeviation: demoModel.embeddingDeviation,
        nearIdentity: true,
        outputBias: demoModel.outputBias,
      }),
      tokenizer: tokenizerFolder,
      origin: { config: { ...demoModel }, seed: options.seed },
    });
  } finally {
    await rm(tokenizerFolder, { recursive: true, force: true });
  }
  return tokens;
}
