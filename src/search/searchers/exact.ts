/**
 * The exact searcher: term-at-a-time accumulation. The postings list of each query term is added into one accumulator a
 * document, then one pass over the accumulators keeps the best. Both loops are WebAssembly kernels.
 *
 * With learned sparse vectors, whose queries are long and whose lists have no steep impacts, this beats safe dynamic
 * pruning (block-max MaxScore and the like), which skips next to nothing there.
 *
 * Memory, allocated once: 8 bytes a posting and 12 a document, 4 GiB at most: about 3 million documents of 150 terms.
 */
import { searchKernels } from '../../compute/kernels/search.ts';
import { LexrayError } from '../../util/errors.ts';
import type { SparseVector } from '../../vectors/sparse-vector.ts';
import type { InvertedIndex } from '../inverted-index.ts';
import { checkSearch, disposedError, type Hit, type Searcher, type SearchOptions } from '../searcher.ts';

const pageBytes = 65536;
/** One page less than 4 GiB, so that no pointer behind an array wraps around. */
const maxPages = 65535;

/** Where the arrays lie in the memory, as byte offsets. */
interface Layout {
  readonly documents: number;
  readonly weights: number;
  readonly accumulators: number;
  readonly accumulatorBytes: number;
  readonly keys: number;
  readonly pages: number;
}

interface State {
  readonly docids: readonly string[];
  readonly dimensions: number;
  readonly offsets: Float64Array;
  readonly layout: Layout;
  readonly kernels: ReturnType<typeof searchKernels>;
  readonly numbers: Uint32Array;
  readonly scores: Float32Array;
}

/** Scores every document that shares a term with the query. */
export class ExactSearcher implements Searcher {
  #state: State | undefined;
  readonly documentCount: number;

  /**
   * Copies the postings into a memory of its own; the index is not needed afterwards.
   * @throws LexrayError FAILED when it does not fit into 4 GiB, or the process gets no such memory
   */
  constructor(index: InvertedIndex) {
    const layout = planMemory(index.documentCount, index.postingCount);
    const memory = allocate(layout);
    const { offsets, indices, values } = index.postings;
    new Uint32Array(memory.buffer, layout.documents, indices.length).set(indices);
    new Float32Array(memory.buffer, layout.weights, values.length).set(values);
    this.documentCount = index.documentCount;
    this.#state = {
      docids: index.docids,
      dimensions: index.dimensions,
      offsets,
      layout,
      kernels: searchKernels(memory),
      numbers: new Uint32Array(memory.buffer, layout.keys, 2 * index.documentCount),
      scores: new Float32Array(memory.buffer, layout.keys, 2 * index.documentCount),
    };
  }

  async search(query: SparseVector, options: SearchOptions): Promise<readonly Hit[]> {
    const state = this.#state;
    if (state === undefined) throw disposedError();
    const k = checkSearch(query, options, { dimensions: state.dimensions, documentCount: this.documentCount });
    const { docids, kernels, layout, offsets, numbers, scores } = state;
    kernels.clear(layout.accumulators, layout.accumulatorBytes);
    for (const [i, term] of query.indices.entries()) {
      const start = offsets[term]!;
      const count = offsets[term + 1]! - start;
      const documents = layout.documents + 4 * start;
      kernels.accumulate(documents, layout.weights + 4 * start, count, query.values[i]!, layout.accumulators);
    }
    const found = kernels.selectTop(layout.accumulators, this.documentCount, k, layout.keys);
    return Array.from({ length: found }, (_, i) => ({
      docid: docids[~numbers[2 * i]! >>> 0]!,
      score: scores[2 * i + 1]!,
    }));
  }

  async dispose(): Promise<void> {
    this.#state = undefined;
  }
}

/** Lays the arrays out one after the other, each aligned to 64 bytes. The first page stays free. */
function planMemory(documentCount: number, postingCount: number): Layout {
  const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
  const documents = pageBytes;
  const weights = documents + align(4 * postingCount);
  const accumulators = weights + align(4 * postingCount);
  const accumulatorBytes = align(4 * documentCount);
  const keys = accumulators + accumulatorBytes;
  const pages = Math.ceil((keys + 8 * documentCount) / pageBytes);
  if (pages > maxPages) {
    throw new LexrayError(
      'FAILED',
      `the exact searcher holds at most 4 GiB, but ${postingCount} postings of ${documentCount} documents need ` +
        `${(pages / 16384).toFixed(1)} GiB`,
      { cure: 'split the collection, or prune the vectors' },
    );
  }
  return { documents, weights, accumulators, accumulatorBytes, keys, pages };
}

function allocate({ pages }: Layout): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (cause) {
    throw new LexrayError('FAILED', `${(pages / 16384).toFixed(2)} GiB of memory for the postings are not to be had`, {
      cause,
      cure: 'close other programs, split the collection, or prune the vectors',
    });
  }
}
