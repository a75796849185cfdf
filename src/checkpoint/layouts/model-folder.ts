/**
 * Opens a model folder of any layout that Lexray reads: bare Hugging Face, sentence-transformers 5.0 and 5.4+ with one
 * encoder or a Router, and Lexray's own, which is the 5.0 layout with `lexray.json` and `manifest.json` beside it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import { type Manifest, manifestFileName, readManifest } from '../../util/manifest.ts';
import type { OpenCheckpointOptions } from '../checkpoint.ts';
import { readJsonIfExists } from '../read-json.ts';
import type { EncoderModules } from './encoder-modules.ts';
import { openHuggingFaceLayout } from './hugging-face.ts';
import { defaultModelPolicy, type LexrayModelPolicy, policyFileName, readModelPolicy } from './model-policy.ts';
import type { QuerySide } from './router.ts';
import { openSentenceTransformersLayout } from './sentence-transformers.ts';
import type { Similarity } from './sentence-transformers-files.ts';

/** `format` and version of the manifest of a model folder. */
export const modelManifestFormat = 'lexray-model';
export const modelManifestVersion = 1;

/** What the files of a layout say about the use of the model as a whole. */
export interface EncoderFacts {
  readonly layout: 'hugging-face' | 'sentence-transformers';
  readonly prompts: LexrayModelPolicy['prompts'];
  readonly similarity: Similarity;
  /** Largest number of active dimensions of a vector, if the model sets one. */
  readonly maxActiveDims: number | undefined;
}

/** What a layout holds: who encodes documents, who encodes queries, and how the model is used. */
export interface LayoutSides {
  readonly document: EncoderModules;
  readonly query: QuerySide;
  readonly facts: EncoderFacts;
}

/**
 * An open model folder. `checkpoint`, `tokenizerFolder`, `pooling` and `maxSequenceLength` are those of the documents'
 * encoder, which encodes the queries too unless {@link ModelFolder.query} says otherwise.
 */
export interface ModelFolder extends Omit<EncoderModules, 'casing'> {
  readonly folder: string;
  readonly layout: EncoderFacts['layout'];
  readonly query: QuerySide;
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
  const { document, query, facts } = existsSync(join(folder, 'modules.json'))
    ? await openSentenceTransformersLayout(folder, options)
    : await openHuggingFaceLayout(folder, options);
  const close = async (): Promise<void> => {
    await document.checkpoint.close();
    if (query.kind === 'encoder') await query.checkpoint.close();
  };
  try {
    const { layout, prompts, similarity, maxActiveDims } = facts;
    const { casing, ...encoder } = document;
    const maxLength = {
      query: query.kind === 'shared' ? document.maxSequenceLength : query.maxSequenceLength,
      document: document.maxSequenceLength,
    };
    const path = join(folder, policyFileName);
    const lexray = await readModelPolicy(path, { prompts, casing, maxLength });
    const policy = lexray ?? defaultModelPolicy({ prompts, casing, maxLength });
    for (const kind of ['query', 'document'] as const) {
      if (policy.prompts[kind] !== prompts[kind] && layout === 'sentence-transformers') {
        options.onWarning?.(
          `${path} and config_sentence_transformers.json differ in the ${kind} prompt; the first is used`,
        );
      }
    }
    return {
      folder,
      layout,
      ...encoder,
      query: lexray === undefined || query.kind === 'shared' ? query : { ...query, casing: lexray.casing },
      similarity,
      maxActiveDims,
      policy,
      lexray,
      manifest,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Refuses a model whose queries have an encoder of their own, for what supports one encoder only.
 * @param use what it is wanted for: `rescale`
 * @throws LexrayError BAD_INPUT
 */
export function requireSharedEncoder({ folder, query }: ModelFolder, use: string): void {
  if (query.kind === 'shared') return;
  const found = query.kind === 'static' ? 'token weights for its queries' : 'a separate encoder for its queries';
  throw badInput(`${use} needs a model with one encoder for queries and documents; ${folder} has ${found}`, {
    where: folder,
    cure: 'use a model with one encoder',
  });
}

/** The manifest if it is one of Lexray's; other tools may have files of that name. */
async function readModelManifest(folder: string): Promise<Manifest | undefined> {
  const value = await readJsonIfExists(join(folder, manifestFileName));
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format !== 'string' || !format.startsWith('lexray-')) return undefined;
  return readManifest(folder, modelManifestFormat, modelManifestVersion);
}
