/**
 * Writes a model folder in the layout of sentence-transformers 5.0, which opens in 5.0 to 6.2, with `lexray.json` and
 * `manifest.json` for what that layout cannot say. The folder appears when it is whole, or not at all.
 *
 * A model with one encoder is also a bare masked language model, which transformers opens. One whose queries have an encoder
 * or token weights of their own is a Router (see `router.ts`), with a folder for each module.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';
import { writeManifest } from '../../util/manifest.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { lexrayVersion, toolName } from '../../util/version.ts';
import { writeFolderAtomic } from '../../util/write-atomic.ts';
import type { FloatDtype } from '../safetensors-header.ts';
import { encodeModelCard, type ModelCard } from './model-card.ts';
import { modelManifestFormat, modelManifestVersion } from './model-folder.ts';
import {
  checkLengths,
  defaultModelPolicy,
  encodeModelPolicy,
  type LexrayModelPolicy,
  policyFileName,
} from './model-policy.ts';
import { routerFileName } from './router.ts';
import { unlimitedLength } from './static-embedding.ts';
import { type CheckedEncoder, checkEncoder, type EncoderContent, json, writeEncoder } from './write-encoder.ts';
import { type StaticContent, writeStaticEmbedding } from './write-static-embedding.ts';

/** What encodes the queries, if not the documents' encoder. */
export type QueryContent =
  /** A masked language model of the same vocabulary size. */
  | ({ readonly kind: 'encoder' } & EncoderContent)
  /** Token weights. A policy that lower-cases texts does so for queries in Lexray only: the module has no such setting. */
  | ({ readonly kind: 'static' } & StaticContent);

/** What a model folder is made of: the encoder of the documents, and all else. */
export interface ModelFolderContent extends EncoderContent {
  /** @default the documents' encoder */
  readonly query?: QueryContent | undefined;
  /** Largest number of active dimensions of a vector. @default none */
  readonly maxActiveDims?: number | undefined;
  readonly policy?: Partial<LexrayModelPolicy> | undefined;
  readonly card?: ModelCard | undefined;
  /** How the model was made, for `manifest.json`. */
  readonly origin?: {
    readonly config?: Readonly<Record<string, unknown>> | undefined;
    readonly seed?: number | undefined;
    /** SHA-256 of the files it was made from, by role or path. */
    readonly parents?: Readonly<Record<string, string>> | undefined;
  };
}

/** Options of {@link writeModelFolder}. */
export interface WriteModelFolderOptions {
  /** @default 'st-5.0', the only one yet */
  readonly layout?: 'st-5.0' | undefined;
  /** Element type of the weights; numbers are rounded to the nearest. Token weights stay F32. @default 'F32' */
  readonly dtype?: FloatDtype | undefined;
  /** Replace what is already there. @default false */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** Python classes, as 5.0 writes them in `modules.json`; in `router_config.json` their file comes before the last part. */
const classes = {
  Router: 'sentence_transformers.models.Router',
  MLMTransformer: 'sentence_transformers.sparse_encoder.models.MLMTransformer',
  SpladePooling: 'sentence_transformers.sparse_encoder.models.SpladePooling',
  SparseStaticEmbedding: 'sentence_transformers.sparse_encoder.models.SparseStaticEmbedding',
} as const;

/**
 * Writes a model folder.
 * @throws LexrayError USAGE when the folder is occupied and `force` is not set; BAD_INPUT when config, weights,
 * tokenizer or policy do not fit together
 */
export async function writeModelFolder(
  folder: string,
  content: ModelFolderContent,
  options: WriteModelFolderOptions = {},
): Promise<void> {
  const encoder = checkEncoder(content, folder);
  const query = checkQuery(content.query, encoder, folder);
  const policy = checkPolicy(content.policy, encoder, query, folder);
  const { document: documentModules, query: queryModules, layout } = planModules(query);
  const { ownTerms, inputVocabularySize } = encoder.family.shape(encoder.config);
  const files: Record<string, string> = {
    ...layout,
    'config_sentence_transformers.json': json({
      model_type: 'SparseEncoder',
      __version__: { sentence_transformers: '5.0.0', lexray: lexrayVersion },
      prompts: policy.prompts,
      default_prompt_name: null,
      similarity_fn_name: 'dot',
      ...(content.maxActiveDims === undefined ? {} : { max_active_dims: content.maxActiveDims }),
    }),
    [policyFileName]: encodeModelPolicy(policy),
    'README.md': encodeModelCard(content.card ?? {}, {
      architecture: encoder.family.architecture,
      dimensions: widthOf(encoder),
      ownTerms,
      otherRows: inputVocabularySize !== widthOf(encoder),
      maxSequenceLength: encoder.maxSequenceLength,
      pooling: encoder.pooling,
      query: query?.kind === 'encoder' ? { kind: 'encoder', architecture: query.family.architecture } : query,
      policy,
    }),
  };
  const writing = { ...options, dtype: options.dtype ?? 'F32', casing: policy.casing };
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      const at = (modules: readonly string[]): [string, string] => [
        join(temporary, modules[0]!),
        join(temporary, modules[1] ?? ''),
      ];
      for (const [name, text] of Object.entries(files)) await writeFile(join(temporary, name), text);
      await writeEncoder(...at(documentModules), encoder, writing);
      if (query?.kind === 'encoder') await writeEncoder(...at(queryModules), query, writing);
      if (query?.kind === 'static') {
        await writeStaticEmbedding(at(queryModules)[0], query, {
          tokenizer: query.tokenizer ?? content.tokenizer,
          maxLength: policy.maxLength.query,
          signal: options.signal,
          onWarning: options.onWarning,
        });
      }
      await writeManifest(temporary, {
        format: modelManifestFormat,
        version: modelManifestVersion,
        config: content.origin?.config ?? {},
        ...(content.origin?.seed === undefined ? {} : { seed: content.origin.seed }),
        parents: content.origin?.parents ?? {},
        created: new Date().toISOString(),
        tool: toolName,
      });
    },
    { force: options.force ?? false },
  );
}

type CheckedQuery = ({ readonly kind: 'encoder' } & CheckedEncoder) | ({ readonly kind: 'static' } & StaticContent);

function checkQuery(
  query: QueryContent | undefined,
  document: CheckedEncoder,
  where: string,
): CheckedQuery | undefined {
  if (query === undefined) return undefined;
  const checked = query.kind === 'static' ? query : { kind: query.kind, ...checkEncoder(query, where) };
  const width = checked.kind === 'static' ? checked.weights.length : widthOf(checked);
  if (width === widthOf(document)) return checked;
  throw badInput(`queries have ${width} dimensions and documents ${widthOf(document)}`, {
    where,
    cure: 'queries and documents must share a vocabulary',
  });
}

/** Dimensions of an encoder's vectors. */
function widthOf({ family, config }: CheckedEncoder): number {
  return family.shape(config).vocabularySize;
}

function checkPolicy(
  given: Partial<LexrayModelPolicy> | undefined,
  document: CheckedEncoder,
  query: CheckedQuery | undefined,
  where: string,
): LexrayModelPolicy {
  const maxLength = {
    query: (query?.kind === 'encoder' ? query : document).maxSequenceLength,
    document: document.maxSequenceLength,
  };
  const policy: LexrayModelPolicy = {
    ...defaultModelPolicy({ prompts: { query: '', document: '' }, casing: 'keep', maxLength }),
    ...given,
  };
  checkLengths(policy, query?.kind === 'static' ? { ...maxLength, query: unlimitedLength } : maxLength, where);
  return policy;
}

/** Where the modules of each side go, and the files that say so. */
function planModules(query: CheckedQuery | undefined): {
  readonly document: readonly string[];
  readonly query: readonly string[];
  readonly layout: Readonly<Record<string, string>>;
} {
  if (query === undefined) {
    const document = ['', '1_SpladePooling'];
    const layout = {
      'modules.json': json([
        { idx: 0, name: '0', path: document[0], type: classes.MLMTransformer },
        { idx: 1, name: '1', path: document[1], type: classes.SpladePooling },
      ]),
    };
    return { document, query: document, layout };
  }
  const encoder = ['MLMTransformer', 'SpladePooling'] as const;
  const kinds = { query: query.kind === 'encoder' ? encoder : (['SparseStaticEmbedding'] as const), document: encoder };
  const types: Record<string, string> = {};
  const place = (side: keyof typeof kinds): string[] =>
    kinds[side].map((kind, i) => {
      const name = `${side}_${i}_${kind}`;
      types[name] = `${classes[kind]}.${kind}`;
      return name;
    });
  const structure = { query: place('query'), document: place('document') };
  return {
    ...structure,
    layout: {
      'modules.json': json([{ idx: 0, name: '0', path: '', type: classes.Router }]),
      [routerFileName]: json({ types, structure, parameters: { default_route: 'document', allow_empty_key: true } }),
    },
  };
}
