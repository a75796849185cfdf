/**
 * `output_vocabulary.json` of a model whose vectors have other terms than the pieces of its tokenizer: the unigrams that
 * the rows of its decoder stand for, and the rule by which unigrams are found in a text.
 *
 *     {"format": "lexray-output-vocabulary", "version": 1,
 *      "unigrams": {"segmentation": "letters-marks-numbers", "normalization": "NFKC", "lowercase": true, "stripAccents": false,
 *                   "maxLength": 64, "unicode": "15.1"},
 *      "occurrences": 1000000, "terms": ["the", "of", …], "counts": [61234, 35012, …]}
 *
 * A term's place is its dimension. `counts` are those of the texts that the vocabulary was made from; `occurrences` is the
 * number of all unigrams there, those outside the vocabulary included.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import type { ModelConfig } from '../families/model-family.ts';
import { checkJson, readJsonIfExists } from '../read-json.ts';

/** Name of the file in a model folder. */
const outputVocabularyFileName = 'output_vocabulary.json';

/** What a unigram is, and which of them are one term; `src/tokenizer/unigrams/` does it. */
export interface UnigramRule {
  /** A run of letters, marks and numbers; a Han character by itself. */
  readonly segmentation: 'letters-marks-numbers';
  readonly normalization: 'NFC' | 'NFKC' | 'none';
  readonly lowercase: boolean;
  /** Remove non-spacing marks (é → e); Hangul stays as it is. */
  readonly stripAccents: boolean;
  /** Longer unigrams, in code points after normalization, are no terms. */
  readonly maxLength: number;
  /** Version of Unicode whose classes of characters were used. */
  readonly unicode: string;
}

/** The terms of a model's vectors. */
export interface OutputVocabulary {
  readonly unigrams: UnigramRule;
  /** The term of each dimension. */
  readonly terms: readonly string[];
  /** How often each term occurred. */
  readonly counts: readonly number[];
  /** Unigrams in all the texts. */
  readonly occurrences: number;
}

/** Bytes of the file at most: two million terms fit. */
const maxSize = 64_000_000;

const count = z.int().min(0);

/** The schema of a {@link UnigramRule}. */
const unigramRuleSchema: z.ZodType<UnigramRule> = z.strictObject({
  segmentation: z.literal('letters-marks-numbers'),
  normalization: z.enum(['NFC', 'NFKC', 'none']),
  lowercase: z.boolean(),
  stripAccents: z.boolean(),
  maxLength: z.int().min(1).max(1000),
  unicode: z.string().max(20),
});

const schema = z.strictObject({
  format: z.literal('lexray-output-vocabulary'),
  version: z.literal(1, { error: 'expected version 1; a newer file needs a newer lexray' }),
  unigrams: unigramRuleSchema,
  occurrences: count,
  terms: z.array(z.string().min(1).max(4000)).min(1),
  counts: z.array(count),
});

/**
 * Reads and checks the output vocabulary of a folder.
 * @returns undefined when the model's terms are the tokens of its tokenizer
 * @throws LexrayError BAD_INPUT when it is missing or does not fit the config
 */
export async function readOutputVocabulary(folder: string, config: ModelConfig): Promise<OutputVocabulary | undefined> {
  const size = config.output_vocabulary_size;
  if (size === undefined) return undefined;
  const path = join(folder, outputVocabularyFileName);
  const value = await readJsonIfExists(path, maxSize);
  if (value === undefined) {
    throw badInput(`config.json says that the model has ${size} output terms, but ${path} is missing`, {
      where: path,
      cure: 'fetch the whole folder again',
    });
  }
  const { unigrams, terms, counts, occurrences } = checkJson(schema, value, path);
  const vocabulary = { unigrams, terms, counts, occurrences };
  checkOutputVocabulary(vocabulary, size, path);
  return vocabulary;
}

/**
 * Writes the output vocabulary that a config asks for, if it does.
 * @param source the vocabulary, or a folder that has it
 * @throws LexrayError BAD_INPUT when there is none, or it does not fit
 */
export async function writeOutputVocabulary(
  folder: string,
  config: ModelConfig,
  source: OutputVocabulary | string | undefined,
): Promise<void> {
  const size = config.output_vocabulary_size;
  if (size === undefined) return;
  const vocabulary = typeof source === 'string' ? await readOutputVocabulary(source, config) : source;
  if (vocabulary === undefined) {
    throw badInput(`the config has an output_vocabulary_size of ${size}, but no output vocabulary is given`, {
      where: folder,
      cure: 'give the terms of the decoder, or the folder of a model that has them',
    });
  }
  checkOutputVocabulary(vocabulary, size, folder);
  await writeFile(join(folder, outputVocabularyFileName), encodeOutputVocabulary(vocabulary));
}

/** The text of the file. */
function encodeOutputVocabulary({ unigrams, terms, counts, occurrences }: OutputVocabulary): string {
  const head = { format: 'lexray-output-vocabulary', version: 1, unigrams, occurrences };
  const open = JSON.stringify(head, null, 2).slice(0, -2);
  return `${open},\n  "terms": ${JSON.stringify(terms)},\n  "counts": ${JSON.stringify(counts)}\n}\n`;
}

/** @throws LexrayError BAD_INPUT when the lists do not fit each other, a term occurs twice, or there are not `size` terms */
function checkOutputVocabulary(vocabulary: OutputVocabulary, size: number, where: string): void {
  const { terms, counts } = vocabulary;
  if (terms.length !== size || counts.length !== size) {
    throw badInput(
      `expected ${size} terms and counts, as many as the decoder has rows; got ${terms.length} and ${counts.length}`,
      { where, cure: 'config.json and the output vocabulary do not belong together' },
    );
  }
  const seen = new Set<string>();
  for (const term of terms) {
    if (seen.has(term)) throw badInput(`the term ${JSON.stringify(term)} occurs twice`, { where });
    seen.add(term);
  }
}
