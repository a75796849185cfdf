/** `lexray expand MODEL --texts FILES -o OUT`: gives a model an output vocabulary of the most frequent unigrams of texts. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { FrequencyProfile } from '../../tokenizer/counting/frequency-profile.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { checkOutput } from '../check-output.ts';
import { formatCount, formatFigure, formatTable } from '../format.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import { choice, integer, optionalChoice, text, words } from '../option.ts';
import {
  streamJson,
  streamOptions,
  streamSchema,
  textFilesDescription,
  textStreamOptions,
  usableTexts,
} from '../text-stream-options.ts';
import { defineVerb, type Verb } from '../verb.ts';

const spread = z.strictObject({ mean: z.number(), deviation: z.number() });
/** By pieces: index 0 not known to the tokenizer, 1 one piece … 8 eight or more. */
const histogram = z.array(z.int()).length(9);

export const expandVerb: Verb = defineVerb({
  name: 'expand',
  group: 'Models:',
  summary: 'give a model an output vocabulary of unigrams (Expanded-SPLADE)',
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    texts: words(textFilesDescription, { placeholder: 'FILES', default: [], required: true }),
    size: integer('terms: the most frequent unigrams', { default: 100_000, min: 1, max: 1 << 24 }),
    minFrequency: integer('unigrams that occur less often are no terms', { default: 2, min: 1 }),
    case: choice('whether terms are lower-cased', ['lower', 'keep'], { default: 'lower' }),
    accents: optionalChoice('whether accents are removed from terms', ['strip', 'keep'], {
      shownDefault: 'as the tokenizer of the model does',
    }),
    normalization: choice('Unicode normalization of terms', ['nfkc', 'nfc', 'none'], { default: 'nfkc' }),
    init: choice(
      'rows of the decoder: pooled from the rows of the word pieces, or random',
      ['mean', 'first', 'weighted', 'random'],
      {
        default: 'mean',
      },
    ),
    bias: choice('its bias: log-probabilities at the old scale, pooled, or zero', ['frequency', 'pooled', 'zero'], {
      default: 'frequency',
    }),
    maxWords: integer('different words in memory; more go to disk', { default: 2_000_000, min: 1000 }),
    ...textStreamOptions,
  },
  output: { placeholder: 'OUT', description: 'model folder to write', required: true },
  examples: [
    'lexray expand model --texts corpus.jsonl.gz --size 100000 -o expanded',
    'lexray expand model --texts "titles/*.tsv.zst" --column 2 --size 300000 --init weighted -o expanded',
  ],
  result: z.strictObject({
    model: z.string(),
    output: z.string(),
    terms: z.int(),
    stream: streamSchema,
    unigrams: z.strictObject({
      /** Different terms in the texts. */
      distinct: z.int(),
      occurrences: z.int(),
      /** Of unigrams that are no term: too long, or several words after normalization. */
      withoutTerm: z.int(),
      /** Share of all occurrences whose term is in the vocabulary. */
      coverage: z.number(),
      outOfVocabulary: z.number(),
      /** Coverage that vocabularies of other sizes would have. */
      coverageBySize: z.array(z.strictObject({ size: z.int(), coverage: z.number() })),
    }),
    pieces: z.strictObject({
      terms: histogram,
      occurrences: histogram,
      meanOfTerms: z.number(),
      meanOfOccurrences: z.number(),
      /** Terms of which a form is a piece of the tokenizer. */
      termsThatArePieces: z.int(),
      piecesThatAreTerms: z.int(),
      pieces: z.int(),
    }),
    rowNorms: z.strictObject({ before: spread, after: spread }),
    bias: z.strictObject({ before: spread, after: spread }).optional(),
    /** How often the words in memory were written to disk. */
    spills: z.int(),
    /** Largest resident memory of the process, in bytes. */
    peakMemory: z.int(),
  }),
  async run(settings, context) {
    const { model, size, minFrequency, init, bias, maxWords } = settings;
    const { output, force, seed, config, signal, onProgress, onWarning } = context;
    await checkOutput(output, force);
    const [
      { openModelFolder },
      { findTextFiles },
      { StreamReport },
      { streamTexts },
      { loadTokenizer },
      { countUnigrams },
      { unigramRule },
      { checkExpandable, expandHead },
      { modelParents },
      { hashFile },
    ] = await Promise.all([
      import('../../checkpoint/layouts/model-folder.ts'),
      import('../../data/text-stream/find-text-files.ts'),
      import('../../data/text-stream/stream-report.ts'),
      import('../../data/text-stream/stream-texts.ts'),
      import('../../tokenizer/load-tokenizer.ts'),
      import('../../tokenizer/unigrams/count-unigrams.ts'),
      import('../../tokenizer/unigrams/unigram-rule.ts'),
      import('../../head/expand/expand-head.ts'),
      import('../model-parents.ts'),
      import('../../util/manifest.ts'),
    ]);
    const files = await findTextFiles(settings.texts);
    const folder = await modelFolder(model, context);
    const opened = await openModelFolder(folder, { onWarning });
    try {
      checkExpandable(opened);
      const tokenizer = await loadTokenizer(opened.tokenizerFolder);
      const rule = unigramRule({
        lowercase: settings.case === 'lower',
        stripAccents: settings.accents === undefined ? stripsAccents(tokenizer) : settings.accents === 'strip',
        normalization: ({ nfkc: 'NFKC', nfc: 'NFC', none: 'none' } as const)[settings.normalization],
      });
      const report = new StreamReport();
      const counts = await countUnigrams(
        usableTexts(streamTexts(files, streamOptions(settings, context, report)), report, settings),
        {
          rule,
          size,
          minFrequency,
          mostWords: maxWords,
          temporaryFolder: dirname(resolve(output)),
          signal,
          onProgress,
        },
      );
      const stream = streamJson(files, report, settings, onWarning);
      const parents = await modelParents(folder);
      for (const file of files) parents[file] = await hashFile(file);
      const expanded = await expandHead(opened, tokenizer, counts, output, {
        rule,
        rows: init,
        bias,
        seed,
        parents,
        config,
        ...(model === folder ? {} : { baseModel: model }),
        force,
        signal,
        onProgress,
      });
      const { profile, withoutTerm, spills } = counts;
      const share = profile.occurrences / (profile.occurrences + withoutTerm);
      const coverage = share * profile.coverage(expanded.terms);
      const { pieces, rowNorms } = expanded;
      return {
        data: {
          model,
          output,
          terms: expanded.terms,
          stream,
          unigrams: {
            distinct: profile.words,
            occurrences: profile.occurrences + withoutTerm,
            withoutTerm,
            coverage,
            outOfVocabulary: 1 - coverage,
            coverageBySize: sizesFor(expanded.terms, profile).map((n) => ({
              size: n,
              coverage: share * profile.coverage(n),
            })),
          },
          pieces: { ...pieces, terms: [...pieces.terms], occurrences: [...pieces.occurrences] },
          rowNorms,
          ...(expanded.bias && { bias: expanded.bias }),
          spills,
          peakMemory: process.resourceUsage().maxRSS * 1024,
        },
        text: [
          `${formatCount(expanded.terms)} terms for ${percent(coverage)} of ${formatCount(profile.occurrences + withoutTerm)} unigrams (${percent(1 - coverage)} out of vocabulary); ${formatCount(profile.words)} different ones in ${formatCount(report.texts)} texts`,
          ...(expanded.terms < size
            ? [`note: ${formatCount(size)} were asked for; no more occur ${minFrequency} times`]
            : []),
          '',
          formatTable([
            ['vocabulary of', 'covers'],
            ...sizesFor(expanded.terms, profile).map((n) => [formatCount(n), percent(share * profile.coverage(n))]),
          ]),
          '',
          formatTable([
            ['pieces', 'terms', 'occurrences'],
            ...pieces.terms.map((count, n) => [
              n === 0 ? 'not known' : n === 8 ? '8 or more' : String(n),
              formatCount(count),
              formatCount(pieces.occurrences[n]!),
            ]),
            ['mean', formatFigure(pieces.meanOfTerms), formatFigure(pieces.meanOfOccurrences)],
          ]),
          '',
          `${formatCount(pieces.termsThatArePieces)} terms are a piece of the tokenizer; ${formatCount(pieces.piecesThatAreTerms)} of its ${formatCount(pieces.pieces)} pieces are a term`,
          `row norms ${formatFigure(rowNorms.before.mean)} ± ${formatFigure(rowNorms.before.deviation)} before, ${formatFigure(rowNorms.after.mean)} ± ${formatFigure(rowNorms.after.deviation)} after`,
          `wrote ${output}`,
        ].join('\n'),
      };
    } finally {
      await opened.close();
    }
  },
});

/** Whether a tokenizer cannot tell letters with accents from those without. */
function stripsAccents(tokenizer: Pick<Tokenizer, 'encode'>): boolean {
  const [plain, accented] = ['resume ecole uber', 'résumé école über'].map((one) => tokenizer.encode(one).join());
  return plain === accented;
}

const shownSizes: readonly number[] = [10_000, 20_000, 30_000, 50_000, 100_000, 200_000, 300_000];

function sizesFor(terms: number, profile: FrequencyProfile): number[] {
  return [...new Set([...shownSizes.filter((size) => size < profile.words), terms])].sort((a, b) => a - b);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
