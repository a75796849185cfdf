/**
 * Documented API symbols as a retrieval task: the data of the demo. `prepareProject` finds symbols to learn from,
 * `buildRetrievalTask` makes queries and titles of them.
 */
export type {
  ApiSymbol,
  ExtractedSymbols,
  ExtractOptions,
  ExtractStatistics,
} from './api-symbols/extract.ts';
export {
  type PreparedProject,
  type PrepareProjectOptions,
  prepareProject,
} from './api-symbols/prepare-project.ts';
export {
  buildRetrievalTask,
  type RetrievalTask,
  type RetrievalTaskOptions,
  type TaskDocument,
  type TaskQuery,
  type TaskSplit,
} from './api-symbols/retrieval-task.ts';
export type { SymbolKind } from './api-symbols/signature.ts';
export { splitIdentifiers } from './api-symbols/symbol-text.ts';
