/**
 * Opens a model folder of any layout that Lexray reads: bare Hugging Face, sentence-transformers 5.0 and 5.4+, and
 * Lexray's own, which is the 5.0 layout with `lexray.json` and `manifest.json` beside it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import { type Manifest, manifestFileName, readManifest } from '../../util/manifest.ts';
import { type Checkpoint, type OpenCheckpointOptions, openCheckpoint } from '../checkpoint.ts';
import { readJsonIfExists } from '../read-json.ts';
import { readHuggingFaceLayout } from './hugging-face.ts';
import { defaultModelPolicy, type LexrayModelPolicy, policyFileName, readModelPolicy } from './model-policy.ts';
import { openSentenceTransformersLayout } from './sentence-transformers.ts';
import type { Pooling, Similarity } from './sentence-transformers-files.ts';

/** `format` and version of the manifest of a model folder. */
export const modelManifestFormat = 'lexray-model';
export const modelManifestVersion = 1;

/** What the files of a layout say about the use of the model. */
export interface LayoutFacts {
  readonly layout: 'hugging-face' | 'sentence-transformers';
  readonly pooling: Pooling;
  /** Longest input in tokens, special tokens included; never more than the model has positions. */
  readonly maxSequenceLength: number;
  readonly casing: LexrayModelPolicy['casing'];
  readonly prompts: LexrayModelPolicy['prompts'];
  readonly similarity: Similarity;
  /** Largest number of active dimensions of a vector, if the model sets one. */
  readonly maxActiveDims: number | undefined;
}

/** An open model folder. */
export interface ModelFolder {
  readonly folder: string;
  readonly layout: LayoutFacts['layout'];
  readonly checkpoint: Checkpoint;
  /** Where the tokenizer files are. */
  readonly tokenizerFolder: string;
  readonly pooling: Pooling;
  readonly maxSequenceLength: number;
  readonly similarity: Similarity;
  readonly maxActiveDims: number | undefined;
  /** How the model is to be used: `lexray.json`, or what the layout says with Lexray's defaults. */
  readonly policy: LexrayModelPolicy;
  /** The same, where the folder has a `lexray.json`. */
  readonly lexray: LexrayModelPolicy | undefined;
  /** The manifest, where Lexray wrote the folder. */
  readonly manifest: Manifest | undefined;
  close(): Promise<void>;
}

/**
 * Opens a model folder and checks its JSON files and the names, shapes and types of its weights.
 * @throws LexrayError BAD_INPUT when a file does not fit, or the model is of a kind that is not supported
 */
export async function openModelFolder(folder: string, options: OpenCheckpointOptions = {}): Promise<ModelFolder> {
  if (!existsSync(folder)) throw badInput(`there is no folder ${folder}`, { where: folder, cure: 'check the path' });
  const manifest = await readModelManifest(folder);
  const { checkpoint, facts } = existsSync(join(folder, 'modules.json'))
    ? await openSentenceTransformersLayout(folder, options)
    : await openHuggingFaceLayout(folder, options);
  try {
    const path = join(folder, policyFileName);
    const lexray = await readModelPolicy(path, facts);
    const policy = lexray ?? defaultModelPolicy(facts);
    for (const kind of ['query', 'document'] as const) {
      if (policy.prompts[kind] !== facts.prompts[kind] && facts.layout === 'sentence-transformers') {
        options.onWarning?.(
          `${path} and config_sentence_transformers.json differ in the ${kind} prompt; the first is used`,
        );
      }
    }
    const { layout, pooling, maxSequenceLength, similarity, maxActiveDims } = facts;
    return {
      folder,
      layout,
      checkpoint,
      tokenizerFolder: checkpoint.folder,
      pooling,
      maxSequenceLength,
      similarity,
      maxActiveDims,
      policy,
      lexray,
      manifest,
      close: () => checkpoint.close(),
    };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function openHuggingFaceLayout(
  folder: string,
  options: OpenCheckpointOptions,
): Promise<{ checkpoint: Checkpoint; facts: LayoutFacts }> {
  const checkpoint = await openCheckpoint(folder, options);
  try {
    return { checkpoint, facts: await readHuggingFaceLayout(checkpoint, options.onWarning) };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** The manifest if it is one of Lexray's; other tools may have files of that name. */
async function readModelManifest(folder: string): Promise<Manifest | undefined> {
  const value = await readJsonIfExists(join(folder, manifestFileName));
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format !== 'string' || !format.startsWith('lexray-')) return undefined;
  return readManifest(folder, modelManifestFormat, modelManifestVersion);
}
