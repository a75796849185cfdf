/**
 * The bare Hugging Face layout: config.json, model.safetensors and tokenizer files in one folder. Opened as a SPLADE
 * model it pools by max over log1p(relu(z)), as sentence-transformers does with such a folder.
 */
import { type OpenCheckpointOptions, openCheckpoint } from '../checkpoint.ts';
import { readMaxSequenceLength } from './encoder-modules.ts';
import type { LayoutSides } from './model-folder.ts';
import { readOutputVocabulary } from './output-vocabulary.ts';

/** @throws LexrayError BAD_INPUT when a file does not fit */
export async function openHuggingFaceLayout(folder: string, options: OpenCheckpointOptions): Promise<LayoutSides> {
  const checkpoint = await openCheckpoint(folder, options);
  try {
    return {
      document: {
        checkpoint,
        tokenizerFolder: folder,
        outputVocabulary: await readOutputVocabulary(folder, checkpoint.config),
        pooling: { strategy: 'max', activation: 'relu' },
        maxSequenceLength: await readMaxSequenceLength(checkpoint, undefined, options.onWarning),
        casing: 'keep',
      },
      query: { kind: 'shared' },
      facts: {
        layout: 'hugging-face',
        prompts: { query: '', document: '' },
        similarity: 'dot',
        maxActiveDims: undefined,
      },
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}
