/**
 * `lexray.json`: what a model needs to be used rightly and what the layouts of other libraries cannot say.
 *
 *     {"format": "lexray-policy", "version": 1, "specialTokens": "keep", "prompts": {"query": "", "document": ""},
 *      "titleSeparator": " ", "casing": "keep", "maxLength": {"query": 64, "document": 256}}
 */
import { z } from 'zod';
import { badInput } from '../../util/errors.ts';
import { checkJson, readJsonIfExists } from '../read-json.ts';

/** Name of the policy file in a model folder. */
export const policyFileName = 'lexray.json';

/** How texts are made ready for a model and what is done with its special tokens. */
export interface LexrayModelPolicy {
  /**
   * `keep` leaves the dimensions of special tokens ([CLS], [SEP]…) in the vectors, as sentence-transformers and
   * naver/splade do; `drop` sets them to zero. @default 'keep'
   */
  readonly specialTokens: 'keep' | 'drop';
  /** Put before a text. @default '' */
  readonly prompts: { readonly query: string; readonly document: string };
  /** What joins a title and its text. @default ' ' */
  readonly titleSeparator: string;
  /** `lower`: texts are lower-cased before the tokenizer, whatever that does itself. @default 'keep' */
  readonly casing: 'keep' | 'lower';
  /** Longest input in tokens, special tokens included. @default the model's maximum sequence length */
  readonly maxLength: { readonly query: number; readonly document: number };
}

const length = z.int().min(1);
const text = z.string().max(10_000);

const schema = z.strictObject({
  format: z.literal('lexray-policy'),
  version: z.literal(1, { error: 'expected version 1; a newer file needs a newer lexray' }),
  specialTokens: z.enum(['keep', 'drop']).default('keep'),
  prompts: z.strictObject({ query: text.default(''), document: text.default('') }).optional(),
  titleSeparator: text.default(' '),
  casing: z.enum(['keep', 'lower']).optional(),
  maxLength: z.strictObject({ query: length.optional(), document: length.optional() }).optional(),
});

/** What the layout says itself, for what `lexray.json` leaves out. */
export interface PolicyDefaults {
  readonly prompts: LexrayModelPolicy['prompts'];
  readonly casing: LexrayModelPolicy['casing'];
  /** Longest input that each side takes. */
  readonly maxLength: LexrayModelPolicy['maxLength'];
}

/**
 * Reads `lexray.json`.
 * @returns the policy, or `undefined` when there is no such file
 * @throws LexrayError BAD_INPUT when a field does not fit or a length is over the model's maximum
 */
export async function readModelPolicy(path: string, defaults: PolicyDefaults): Promise<LexrayModelPolicy | undefined> {
  const value = await readJsonIfExists(path);
  if (value === undefined) return undefined;
  const stored = checkJson(schema, value, path);
  const policy: LexrayModelPolicy = {
    specialTokens: stored.specialTokens,
    prompts: stored.prompts ?? defaults.prompts,
    titleSeparator: stored.titleSeparator,
    casing: stored.casing ?? defaults.casing,
    maxLength: {
      query: stored.maxLength?.query ?? defaults.maxLength.query,
      document: stored.maxLength?.document ?? defaults.maxLength.document,
    },
  };
  checkLengths(policy, defaults.maxLength, path);
  return policy;
}

/** The policy of a model that records none: that of sentence-transformers. */
export function defaultModelPolicy(defaults: PolicyDefaults): LexrayModelPolicy {
  const { prompts, casing, maxLength } = defaults;
  return { specialTokens: 'keep', prompts, titleSeparator: ' ', casing, maxLength };
}

/** The text of `lexray.json`. */
export function encodeModelPolicy(policy: LexrayModelPolicy): string {
  const { specialTokens, prompts, titleSeparator, casing, maxLength } = policy;
  const value = { format: 'lexray-policy', version: 1, specialTokens, prompts, titleSeparator, casing, maxLength };
  return `${JSON.stringify(checkJson(schema, value, policyFileName), null, 2)}\n`;
}

/** @throws LexrayError BAD_INPUT when a length of the policy is over what its side takes */
export function checkLengths(
  { maxLength }: LexrayModelPolicy,
  limits: LexrayModelPolicy['maxLength'],
  where: string,
): void {
  for (const kind of ['query', 'document'] as const) {
    if (maxLength[kind] > limits[kind]) {
      throw badInput(`maxLength.${kind} is ${maxLength[kind]} tokens; the model takes at most ${limits[kind]}`, {
        where,
        cure: 'lower it, or raise the maximum sequence length of the model if its position embeddings allow it',
      });
    }
  }
}
