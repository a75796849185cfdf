/**
 * The bare Hugging Face layout: config.json, model.safetensors and tokenizer files in one folder. Opened as a SPLADE
 * model it pools by max over log1p(relu(z)), as sentence-transformers does with such a folder.
 */
import { join } from 'node:path';
import type { WarningListener } from '../../util/progress.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { checkJson, readJsonIfExists } from '../read-json.ts';
import type { LayoutFacts } from './model-folder.ts';
import { tokenizerConfigSchema } from './sentence-transformers-files.ts';

/** Lengths from this on mean "not set": transformers writes 10^30 for it. */
const notSet = 1e9;

/** What a bare folder says about its use. */
export async function readHuggingFaceLayout(
  checkpoint: Checkpoint,
  onWarning: WarningListener | undefined,
): Promise<LayoutFacts> {
  return {
    layout: 'hugging-face',
    pooling: { strategy: 'max', activation: 'relu' },
    maxSequenceLength: await readMaxSequenceLength(checkpoint, undefined, onWarning),
    casing: 'keep',
    prompts: { query: '', document: '' },
    similarity: 'dot',
    maxActiveDims: undefined,
  };
}

/**
 * The longest input in tokens: what the module says, else `model_max_length` of the tokenizer, never more than the
 * model has positions. Values of 10^9 and more mean "not set".
 */
export async function readMaxSequenceLength(
  checkpoint: Checkpoint,
  ofModule: number | undefined,
  onWarning: WarningListener | undefined,
): Promise<number> {
  const path = join(checkpoint.folder, 'tokenizer_config.json');
  const { model_max_length: ofTokenizer } = checkJson(
    tokenizerConfigSchema,
    (await readJsonIfExists(path)) ?? {},
    path,
  );
  const positions = checkpoint.family.shape(checkpoint.config).maxPositions;
  const length = [ofModule, ofTokenizer].find((value) => typeof value === 'number' && value > 0 && value < notSet);
  if (length === undefined || length === null) return positions;
  if (length > positions) {
    onWarning?.(
      `${checkpoint.folder} asks for inputs of ${length} tokens; the model has ${positions} positions, which is used`,
    );
  }
  return Math.max(1, Math.min(Math.floor(length), positions));
}
