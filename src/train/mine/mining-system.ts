/** What ranks documents for mining: a sparse model, or BM25. Both are sparse vectors, searched exactly. */
import type { NamedText } from '../../data/read-texts.ts';
import { encodeAll } from '../../model/retrieve.ts';
import type { SparseEncoder } from '../../model/sparse-encoder.ts';
import { Bm25, type Bm25Options } from '../../search/bm25.ts';
import { throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener } from '../../util/progress.ts';
import { SparseVectorsBuilder } from '../../vectors/builder.ts';
import type { SparseVectors } from '../../vectors/sparse-vectors.ts';

/** Vectors of both sides. */
export interface MiningVectors {
  readonly documents: SparseVectors;
  /** In the order of the queries. */
  readonly queries: SparseVectors;
}

/** Options of {@link MiningSystem.encode}. */
export interface MiningEncodeOptions {
  /** Documents, for progress. */
  readonly total: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Makes vectors of documents and queries. */
export interface MiningSystem {
  /** As it is told in results: `BM25`, or the model. */
  readonly name: string;
  encode(
    documents: AsyncIterable<NamedText>,
    queries: readonly string[],
    options: MiningEncodeOptions,
  ): Promise<MiningVectors>;
}

/** BM25 over the words of the texts. */
export function bm25System(bm25: Bm25Options = {}): MiningSystem {
  return {
    name: 'BM25',
    async encode(documents, queries, { total, signal, onProgress }) {
      async function* counted(): AsyncGenerator<{ docid: string; title: string; text: string }> {
        let done = 0;
        for await (const { id, text } of documents) {
          yield { docid: id, title: '', text };
          onProgress?.({ phase: 'count words', done: ++done, total, unit: 'documents' });
        }
      }
      const { vectors, encodeQuery } = await Bm25.fit(counted(), { ...bm25, signal });
      const builder = new SparseVectorsBuilder(vectors.dimensions);
      for (const [i, text] of queries.entries()) {
        throwIfAborted(signal);
        builder.add(String(i), encodeQuery(text));
      }
      return { documents: vectors, queries: builder.build() };
    },
  };
}

/** A learned sparse encoder, the one that is being trained for instance. */
export function encoderSystem(name: string, encoder: SparseEncoder): MiningSystem {
  return {
    name,
    async encode(documents, queries, { total, signal, onProgress }) {
      const texts = queries.map((text, i) => ({ id: String(i), text }));
      const common = { signal, onProgress };
      return {
        documents: await encodeAll(encoder, documents, { ...common, kind: 'document', total }),
        queries: await encodeAll(encoder, texts, { ...common, kind: 'query', total: texts.length }),
      };
    },
  };
}
