/** The public API of Lexray: re-exports only. */
export type { ModelConfig } from './checkpoint/families/model-family.ts';
export { type ModelFolder, openModelFolder } from './checkpoint/layouts/model-folder.ts';
export type { LexrayModelPolicy } from './checkpoint/layouts/model-policy.ts';
export type { OutputVocabulary, UnigramRule } from './checkpoint/layouts/output-vocabulary.ts';
export {
  type ModelFolderContent,
  type QueryContent,
  writeModelFolder,
} from './checkpoint/layouts/write-model-folder.ts';
export { openSafetensors, type SafetensorsFile } from './checkpoint/safetensors-reader.ts';
export { type WritableTensor, writeSafetensors } from './checkpoint/safetensors-writer.ts';
export type { Engine, EngineOptions } from './compute/runtime/engine.ts';
export { openOrtEngine } from './compute/runtime/ort-engine.ts';
export { type Document, joinTitle, type Query } from './data/document.ts';
export { findLeakage, type Leakage } from './data/find-leakage.ts';
export { type HubEnvironment, readHubEnvironment } from './data/hub/hub-environment.ts';
export { type HubReference, parseHubReference } from './data/hub/hub-reference.ts';
export type { Patience } from './data/hub/hub-request.ts';
export { type PulledModel, type PullOptions, pullModel } from './data/hub/pull-model.ts';
export { type ResolveOptions, resolveModel } from './data/hub/resolve-model.ts';
export { type BeirCollection, listSplits, loadBeir } from './data/load-beir.ts';
export { type Qrels, readQrels, writeQrels } from './data/qrels.ts';
export { type NamedText, readTexts } from './data/read-texts.ts';
export {
  readTrainingExamples,
  streamTrainingExamples,
  type TrainingDataOptions,
  type TrainingExample,
} from './data/read-training-examples.ts';
export { type Run, readRun, type ScoredDocument, writeRun } from './data/run.ts';
export { findTextFiles } from './data/text-stream/find-text-files.ts';
export { type ShuffledText, type ShuffleTextsOptions, shuffleTexts } from './data/text-stream/shuffle-texts.ts';
export { type StreamProblem, StreamReport } from './data/text-stream/stream-report.ts';
export { type StreamedText, streamTexts, type TextStreamOptions } from './data/text-stream/stream-texts.ts';
export { type Comparison, compareRuns } from './evaluate/compare-runs.ts';
export { compareAtEqualCost, type EqualCostComparison, type OperatingPoint } from './evaluate/equal-cost.ts';
export { type Evaluation, evaluateRun } from './evaluate/evaluate-run.ts';
export type { Frontier, FrontierPoint } from './evaluate/frontier.ts';
export type { Measure } from './evaluate/measures/measure.ts';
export { parseMeasure } from './evaluate/measures/parse-measure.ts';
export { type RetrievalCost, retrievalCost } from './evaluate/retrieval-cost.ts';
export { bootstrapInterval, type Interval } from './evaluate/significance/bootstrap-interval.ts';
export { holm } from './evaluate/significance/holm.ts';
export { pairedTTest, type TTest } from './evaluate/significance/paired-t-test.ts';
export { type RandomizationTest, randomizationTest } from './evaluate/significance/randomization-test.ts';
export { exportOnnx, type OnnxExport, type OnnxExportOptions } from './export/onnx.ts';
export {
  exportSentenceTransformers,
  type SentenceTransformersExport,
  type SentenceTransformersExportOptions,
} from './export/sentence-transformers.ts';
export type { HubDataset } from './export/st-train/script.ts';
export type { StTrainConfig, StTrainSettings } from './export/st-train/settings.ts';
export type { LocalData } from './export/st-train/training-data.ts';
export { exportStTrain, type StTrainExport, type StTrainOptions } from './export/st-train.ts';
export { type ExpandedHead, type ExpandHeadOptions, expandHead } from './head/expand/expand-head.ts';
export type { TextKind } from './model/encoder-parts.ts';
export { type InitializeOptions, initializeWeights } from './model/initialize-weights.ts';
export type { LoadEncoderOptions } from './model/load-encoder-parts.ts';
export { encodeAll, type Retrieval, type RetrieveOptions, retrieve } from './model/retrieve.ts';
export { type EncodeOptions, SparseEncoder } from './model/sparse-encoder.ts';
export { makeStaticQueries, type StaticQueriesOptions } from './model/static-queries.ts';
export { loadRecipe } from './recipes/load-recipe.ts';
export type { ExpectedFigure, Grade, Recipe, RecipeOrigin, RecipeSettings } from './recipes/recipe.ts';
export { Bm25, type Bm25Options } from './search/bm25.ts';
export { readIndex, writeIndex } from './search/index-folder.ts';
export { buildIndex, type InvertedIndex, type PostingList } from './search/inverted-index.ts';
export { type FusionOptions, reciprocalRankFusion } from './search/reciprocal-rank-fusion.ts';
export { type SearchAllOptions, searchAll } from './search/search-all.ts';
export type { Hit, Searcher, SearchOptions } from './search/searcher.ts';
export { ExactSearcher } from './search/searchers/exact.ts';
export { ExhaustiveSearcher } from './search/searchers/exhaustive.ts';
export { analyseStudy, type FamilyResult } from './study/analyse-study.ts';
export { analyseFamily, type Contrast, type ContrastResult, type Verdict } from './study/analysis/contrast-family.ts';
export { type CrossedInterval, crossedInterval } from './study/analysis/crossed-interval.ts';
export { type DetectableOptions, detectableDifference } from './study/analysis/detectable-difference.ts';
export type { VarianceComponents } from './study/analysis/mean-squares.ts';
export { type BackboneSweep, type FactorRule, judgeRule, type RuleRegret } from './study/analysis/regret.ts';
export type { ScoreTable } from './study/analysis/score-table.ts';
export { designCells, type StudyCell } from './study/cells.ts';
export { parseDesign, readDesign, type StudyDesign } from './study/design.ts';
export { type FrontierInput, type FrontierOptions, measureFrontier } from './study/measure-frontier.ts';
export { parseGridPoint } from './study/pruning-grid.ts';
export type { CellResult, ResultLine } from './study/result-line.ts';
export { readResults } from './study/results-file.ts';
export { type RunCell, type RunStudyOptions, rerunLine, runStudy } from './study/runner.ts';
export { loadTokenizer } from './tokenizer/load-tokenizer.ts';
export type { TokenizeOptions, Tokenizer } from './tokenizer/tokenizer.ts';
export { type TrainedTokenizer, type TrainTokenizerOptions, trainTokenizer } from './tokenizer/train-tokenizer.ts';
export { type TrainWordPieceOptions, trainWordPiece } from './tokenizer/train-word-piece.ts';
export { type CountUnigramsOptions, countUnigrams, type UnigramCounts } from './tokenizer/unigrams/count-unigrams.ts';
export { findUnigrams, termOf, type UnigramRuleOptions, unigramRule } from './tokenizer/unigrams/unigram-rule.ts';
export { type LabelRule, type UnigramUnits, unigramUnits } from './tokenizer/unigrams/unigram-units.ts';
export { writeTokenizer, writeTokenizerFolder } from './tokenizer/write-tokenizer.ts';
export { type FinetuneOptions, type FinetuneResult, finetune } from './train/finetune.ts';
export type { FinetuneConfig, FinetuneSettings, LossSettings, RegularizerSettings } from './train/finetune-config.ts';
export type { GivenGuardSettings, GuardMode, GuardSettings } from './train/guard/guard-settings.ts';
export type { CollapseKind, GuardAlarm, Side } from './train/guard/guard-state.ts';
export { type Mined, type MinedPair, type MineOptions, minedLine, mineNegatives } from './train/mine/mine-negatives.ts';
export { type MiningQuery, type MiningSource, openMiningSource } from './train/mine/mining-source.ts';
export { bm25System, encoderSystem, type MiningSystem } from './train/mine/mining-system.ts';
export { type PretrainOptions, type PretrainResult, pretrain } from './train/pretrain/pretrain.ts';
export type { PretrainConfig, PretrainSettings } from './train/pretrain/pretrain-config.ts';
export type { NewModel, StartModel } from './train/pretrain/start-model.ts';
export { type ErrorCode, type ErrorDetails, LexrayError } from './util/errors.ts';
export type { ProgressEvent, ProgressListener, WarningListener } from './util/progress.ts';
export { lexrayVersion } from './util/version.ts';
export { SparseVectorsBuilder } from './vectors/builder.ts';
export { keepTopTerms } from './vectors/prune/keep-top-terms.ts';
export { parsePruneStrategies, pruneVectors } from './vectors/prune/parse-prune-strategy.ts';
export type { PruneStrategy } from './vectors/prune/prune-strategy.ts';
export { readVectors } from './vectors/read-vectors.ts';
export { emptyVector, type SparseVector, sparseVector } from './vectors/sparse-vector.ts';
export { SparseVectors } from './vectors/sparse-vectors.ts';
export { documentFrequency, vectorStatistics } from './vectors/statistics.ts';
export { writeVectors } from './vectors/write-vectors.ts';
