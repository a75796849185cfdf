/** Every verb of `lexray`, in the order of a reader's way through them within each heading of the help. */
import type { Verb } from './verb.ts';
import { compareVerb } from './verbs/compare.ts';
import { demoVerb } from './verbs/demo.ts';
import { diagnoseVerb } from './verbs/diagnose.ts';
import { doctorVerb } from './verbs/doctor.ts';
import { encodeVerb } from './verbs/encode.ts';
import { evaluateVerb } from './verbs/evaluate.ts';
import { expandVerb } from './verbs/expand.ts';
import { explainVerb } from './verbs/explain.ts';
import { exportVerb } from './verbs/export.ts';
import { finetuneVerb } from './verbs/finetune.ts';
import { indexVerb } from './verbs/index-vectors.ts';
import { measureVerb } from './verbs/measure.ts';
import { mineVerb } from './verbs/mine.ts';
import { pretrainVerb } from './verbs/pretrain.ts';
import { pruneVerb } from './verbs/prune.ts';
import { pullVerb } from './verbs/pull.ts';
import { reportVerb } from './verbs/report.ts';
import { rescaleVerb } from './verbs/rescale.ts';
import { searchVerb } from './verbs/search.ts';
import { studyVerb } from './verbs/study.ts';
import { tokenizerVerb } from './verbs/tokenizer.ts';

/** The verbs. */
export const verbs: readonly Verb[] = [
  demoVerb,
  pullVerb,
  diagnoseVerb,
  rescaleVerb,
  tokenizerVerb,
  expandVerb,
  pretrainVerb,
  mineVerb,
  finetuneVerb,
  exportVerb,
  encodeVerb,
  pruneVerb,
  indexVerb,
  searchVerb,
  explainVerb,
  evaluateVerb,
  measureVerb,
  compareVerb,
  studyVerb,
  reportVerb,
  doctorVerb,
];
