/**
 * `README.md` of a model folder: a model card with the front matter that the Hugging Face hub and sentence-transformers
 * expect of a sparse encoder, and how the model is used.
 */
import { stringify } from 'yaml';
import type { LexrayModelPolicy } from './model-policy.ts';
import type { Pooling } from './sentence-transformers-files.ts';

/** What a card says beyond what the folder itself knows. */
export interface ModelCard {
  /** @default 'SPLADE Sparse Encoder' */
  readonly title?: string;
  /** The model it was made from: a hub name. */
  readonly baseModel?: string;
  /** SPDX identifier as the hub spells it: `apache-2.0`. */
  readonly license?: string;
  /** ISO 639-1 codes. */
  readonly languages?: readonly string[];
  readonly datasets?: readonly string[];
  /** Tags beside the usual four. */
  readonly tags?: readonly string[];
  /** Measured results; `type` as sentence-transformers names it: `dot_ndcg@10`. */
  readonly results?: readonly { readonly dataset: string; readonly type: string; readonly value: number }[];
  /** Markdown put after the summary: how it was trained, what it cannot do. */
  readonly body?: string;
}

/** Facts of the folder that the card repeats. */
export interface CardFacts {
  readonly architecture: string;
  readonly dimensions: number;
  /** Whether the dimensions are the unigrams of `output_vocabulary.json`, not the tokens of the tokenizer. */
  readonly ownTerms: boolean;
  /** Whether the decoder has other rows than the word embeddings, which transformers does not open. */
  readonly otherRows: boolean;
  readonly maxSequenceLength: number;
  readonly pooling: Pooling;
  /** What encodes the queries, if not the documents' encoder. */
  readonly query: { readonly kind: 'encoder'; readonly architecture: string } | { readonly kind: 'static' } | undefined;
  readonly policy: LexrayModelPolicy;
}

/** The text of the card. */
export function encodeModelCard(card: ModelCard, facts: CardFacts): string {
  const title = card.title ?? 'SPLADE Sparse Encoder';
  const { policy, pooling } = facts;
  const rows: [string, string | number][] = [
    ['Architecture', `${facts.architecture} with SPLADE pooling (${pooling.strategy}, ${pooling.activation})`],
    ...queryRows(facts),
    ['Dimensions', facts.dimensions],
    ['Longest input', `${facts.maxSequenceLength} tokens`],
    ['Longest query, document', `${policy.maxLength.query}, ${policy.maxLength.document} tokens`],
    ['Similarity', 'dot product'],
    ['Query prompt', policy.prompts.query === '' ? 'none' : `\`${JSON.stringify(policy.prompts.query)}\``],
    ['Document prompt', policy.prompts.document === '' ? 'none' : `\`${JSON.stringify(policy.prompts.document)}\``],
    ['Title and text are joined by', `\`${JSON.stringify(policy.titleSeparator)}\``],
    ['Dimensions of special tokens', policy.specialTokens === 'keep' ? 'kept' : 'set to zero (by Lexray only)'],
  ];
  return [
    `---\n${stringify(frontMatter(card, title, facts))}---`,
    `# ${title.replaceAll('\n', ' ')}`,
    `A learned sparse retrieval model: it maps a text to a ${facts.dimensions}-dimensional sparse vector, one dimension for each ${facts.ownTerms ? 'unigram of its output vocabulary' : 'token of its vocabulary'}.`,
    `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`,
    ...(card.body === undefined ? [] : [card.body.trim()]),
    '## Use',
    facts.otherRows
      ? 'The decoder has other rows than the word embeddings (`output_vocabulary_size` in `config.json`, the terms in `output_vocabulary.json`), which transformers and sentence-transformers cannot open. A folder that they open, with the same vectors:\n\n```sh\nlexray export path/to/this/folder --to sentence-transformers -o another\n```'
      : "With [sentence-transformers](https://www.sbert.net) 5.0 or later:\n\n```python\nfrom sentence_transformers import SparseEncoder\n\nmodel = SparseEncoder('path/to/this/folder')\ndocuments = model.encode_document(['a text'])\nqueries = model.encode_query(['a query'])\n```",
    'With Lexray:\n\n```sh\nlexray evaluate path/to/this/folder --data path/to/a/beir/folder\n```',
  ]
    .join('\n\n')
    .concat('\n');
}

/** How queries are encoded, where documents are encoded otherwise. */
function queryRows({ query }: CardFacts): [string, string][] {
  if (query === undefined) return [];
  const found =
    query.kind === 'static'
      ? 'no model: a weight for each token that occurs'
      : `an encoder of their own: ${query.architecture}`;
  return [['Queries', found]];
}

function frontMatter(card: ModelCard, title: string, { query }: CardFacts): Record<string, unknown> {
  const results = card.results ?? [];
  const datasets = [...new Set(results.map(({ dataset }) => dataset))];
  return {
    tags: [
      ...new Set([
        ...['sentence-transformers', 'sparse-encoder', 'sparse', 'splade'],
        ...(query === undefined ? [] : ['asymmetric']),
        ...(query?.kind === 'static' ? ['inference-free'] : []),
        ...(card.tags ?? []),
      ]),
    ],
    ...(card.baseModel === undefined ? {} : { base_model: card.baseModel }),
    ...(card.license === undefined ? {} : { license: card.license }),
    ...(card.languages === undefined ? {} : { language: card.languages }),
    ...(card.datasets === undefined ? {} : { datasets: card.datasets }),
    pipeline_tag: 'feature-extraction',
    library_name: 'sentence-transformers',
    ...(results.length === 0 ? {} : { metrics: [...new Set(results.map(({ type }) => type))] }),
    ...(results.length === 0
      ? {}
      : {
          'model-index': [
            {
              name: title,
              results: datasets.map((name) => ({
                task: { type: 'sparse-information-retrieval', name: 'Sparse Information Retrieval' },
                dataset: { name, type: name },
                metrics: results
                  .filter(({ dataset }) => dataset === name)
                  .map(({ type, value }) => ({ type, value, name: metricName(type) })),
              })),
            },
          ],
        }),
  };
}

/** `dot_ndcg@10` as a title: `Dot Ndcg@10`. */
function metricName(type: string): string {
  return type
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ');
}
