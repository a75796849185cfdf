/** The public API of Lexray: re-exports only. */
export { type ErrorCode, type ErrorDetails, LexrayError } from './util/errors.ts';
export type { ProgressEvent, ProgressListener, WarningListener } from './util/progress.ts';
export { lexrayVersion } from './util/version.ts';
