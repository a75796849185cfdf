/** `lexray tokenizer train FILES… -o DIR`: a tokenizer from texts. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { checkOutput } from '../check-output.ts';
import { formatCount } from '../format.ts';
import { choice, integer, optionalChoice, optionalInteger, words } from '../option.ts';
import {
  streamJson,
  streamOptions,
  streamSchema,
  textFilesDescription,
  textStreamOptions,
  usableTexts,
} from '../text-stream-options.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const tokenizerVerb: Verb = defineVerb({
  name: 'tokenizer',
  group: 'Models:',
  summary: 'train a tokenizer on texts',
  arguments: {
    action: choice('train', ['train'], { placeholder: 'train' }),
    texts: words(textFilesDescription, { placeholder: 'FILES', default: [], required: true }),
  },
  options: {
    type: choice('WordPiece as in BERT, or byte-level BPE as in RoBERTa and ModernBERT', ['wordpiece', 'byte-bpe'], {
      default: 'wordpiece',
    }),
    size: integer('tokens at most, special ones included', { default: 30_000, min: 6, max: (1 << 24) - 1 }),
    style: optionalChoice('special tokens of byte-level BPE', ['roberta', 'modernbert'], { shownDefault: 'roberta' }),
    case: optionalChoice('whether texts are lower-cased', ['lower', 'keep'], {
      shownDefault: 'lower for wordpiece, keep for byte-bpe',
    }),
    accents: optionalChoice('whether accents are removed, WordPiece only', ['strip', 'keep'], {
      shownDefault: 'strip where texts are lower-cased',
    }),
    normalization: choice(
      'Unicode normalization; with nfc or nfkc Hangul syllables stay whole where accents are stripped',
      ['none', 'nfc', 'nfkc'],
      { default: 'none' },
    ),
    minFrequency: integer('pairs that occur less often are not merged', { default: 2, min: 0 }),
    limitAlphabet: optionalInteger('characters of WordPiece at most', {
      min: 1,
      shownDefault: '1000, or up to a sixth of the tokens where the texts have so many',
    }),
    maxWords: integer('different words in memory; of more, the rarest are left out', { default: 2_000_000, min: 1000 }),
    maxLength: integer('longest input recorded, special tokens included', { default: 512, min: 2, max: 1 << 24 }),
    ...textStreamOptions,
  },
  output: { placeholder: 'DIR', description: 'folder to write the tokenizer to', required: true },
  examples: [
    'lexray tokenizer train wiki.jsonl.gz -o tokenizer --size 30000',
    'lexray tokenizer train "korean/*.txt.zst" -o tokenizer --normalization nfc --accents keep',
    'lexray tokenizer train corpus -o tokenizer --type byte-bpe --style modernbert --size 50000',
  ],
  result: z.strictObject({
    output: z.string(),
    type: z.enum(['wordpiece', 'byte-bpe']),
    size: z.int(),
    stream: streamSchema,
    words: z.strictObject({
      distinct: z.int(),
      occurrences: z.int(),
      /** Of words left out by --max-words. */
      occurrencesLeftOut: z.int(),
    }),
  }),
  async run(settings, context) {
    const { output, force, signal, onProgress, onWarning, config } = context;
    const { type, size, style, normalization, minFrequency, limitAlphabet, maxWords, maxLength } = settings;
    await checkOutput(output, force);
    const [{ findTextFiles }, { StreamReport }, { streamTexts }, training, { hashFile }] = await Promise.all([
      import('../../data/text-stream/find-text-files.ts'),
      import('../../data/text-stream/stream-report.ts'),
      import('../../data/text-stream/stream-texts.ts'),
      import('../../tokenizer/train-tokenizer.ts'),
      import('../../util/manifest.ts'),
    ]);
    const { writeTokenizerFolder } = await import('../../tokenizer/write-tokenizer.ts');
    const files = await findTextFiles(settings.texts);
    const report = new StreamReport();
    const texts = usableTexts(streamTexts(files, streamOptions(settings, context, report)), report, settings);
    const {
      json,
      size: tokens,
      counted,
    } = await training.trainTokenizer(texts, {
      type,
      vocabularySize: size,
      ...(type === 'byte-bpe' && { style: style ?? 'roberta' }),
      ...(type === 'wordpiece' && style !== undefined && { style }),
      lowercase: settings.case === undefined ? undefined : settings.case === 'lower',
      stripAccents: settings.accents === undefined ? undefined : settings.accents === 'strip',
      normalization,
      minFrequency,
      limitAlphabet,
      mostKept: maxWords,
      temporaryFolder: dirname(resolve(output)),
      signal,
      onProgress,
      onWarning,
    });
    const stream = streamJson(files, report, settings, onWarning);
    const parents: Record<string, string> = {};
    for (const file of files) parents[file] = await hashFile(file);
    await writeTokenizerFolder(output, json, { modelMaxLength: maxLength, config, parents, force });
    const { distinct, occurrences, occurrencesLeftOut } = counted;
    return {
      data: { output, type, size: tokens, stream, words: { distinct, occurrences, occurrencesLeftOut } },
      text: [
        `${formatCount(tokens)} tokens from ${formatCount(counted.texts)} texts with ${formatCount(distinct)} different words, ${formatCount(occurrences)} in all`,
        ...(tokens < size
          ? [`note: ${formatCount(size)} were asked for; no more pairs occur ${minFrequency} times`]
          : []),
        `wrote ${output}`,
      ].join('\n'),
    };
  },
});
