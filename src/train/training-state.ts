/**
 * Checkpoints of a training run: everything that the next step depends on. A run folder holds
 *
 *     config.json               resolved settings and the hashes of model and data
 *     metrics.jsonl             one line each `logEvery` steps and each evaluation
 *     checkpoint-00000200/      weights and moments (state.safetensors), sampler and best step (state.json)
 *     best-00000150.safetensors weights of the best step on the dev split; one for each best step that a checkpoint names
 *
 * A checkpoint appears whole or not at all, so the newest one that is there can always be resumed from.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeSafetensors } from '../checkpoint/safetensors-writer.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import type { SamplerState } from './batch-sampler.ts';
import {
  newestCheckpoint,
  paddedStep,
  readCheckpointState,
  readCheckpointTensors,
  readTensors,
  removePartialFiles,
  tensorsOf,
  writeCheckpoint,
} from './checkpoints.ts';
import { type GuardState, guardStateSchema } from './guard/guard-state.ts';
import { type LambdaControllerState, lambdaControllerStateSchema } from './lambda-controller.ts';
import type { ControllerStates } from './regularizer-weights.ts';

/** The best step so far. */
export interface BestStep {
  readonly step: number;
  readonly value: number;
}

/** Where a run stands, besides its tensors. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly sampler: SamplerState;
  readonly best: BestStep | undefined;
  /** The evaluation of this step is still to be done: the run was stopped in it. */
  readonly evaluationDue: boolean;
  /** Seconds of training so far. */
  readonly seconds: number;
  readonly guard: GuardState;
  readonly controllers: ControllerStates;
  /** What regularizers have learned, by part of the loss; kept with the tensors. */
  readonly learned: Readonly<Record<string, Float32Array>>;
}

const word = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const stateSchema = z.strictObject({
  step: z.int().min(0),
  sampler: z.strictObject({
    epoch: z.int().min(0),
    position: z.int().min(0),
    waiting: z.array(z.int().min(0)),
    random: z.tuple([word, word, word, word]),
  }),
  best: z.strictObject({ step: z.int().min(0), value: z.number() }).optional(),
  evaluationDue: z.boolean(),
  seconds: z.number().min(0),
  guard: guardStateSchema,
  controllers: z.strictObject({
    queries: lambdaControllerStateSchema.optional(),
    documents: lambdaControllerStateSchema.optional(),
  }),
  learned: z.array(z.string()).max(64),
});

/** Before the names of what regularizers have learned. */
const learnedPrefix = 'learned/';

/** Writes a checkpoint, removes all but the newest `keep`, and weights of best steps that none of them names. */
export async function saveTrainingState(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  state: TrainingState,
  keep: number,
): Promise<void> {
  const tensors = Object.entries(state.learned).map(([part, data]) => ({
    name: learnedPrefix + part,
    shape: [data.length],
    data: () => data,
  }));
  const content = { step: state.step, state: { ...state, learned: Object.keys(state.learned) }, tensors };
  const checkpoints = await writeCheckpoint(runFolder, engine, variables, content, keep);
  const named = new Set<string>();
  for (const folder of checkpoints) {
    const { best } = await readCheckpointState(folder, stateSchema);
    if (best) named.add(bestName(best.step));
  }
  for (const name of await readdir(runFolder)) {
    if (/^best-\d+\.safetensors$/.test(name) && !named.has(name)) await rm(join(runFolder, name), { force: true });
  }
}

/**
 * Restores the newest checkpoint into the engine, and removes what a killed run left half-written.
 * @returns the state, or undefined when there is no checkpoint
 * @throws LexrayError BAD_INPUT when the checkpoint is damaged or does not fit the model
 */
export async function restoreTrainingState(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
): Promise<TrainingState | undefined> {
  const folder = await newestCheckpoint(runFolder);
  if (folder === undefined) return undefined;
  const { learned: parts, ...state } = await readCheckpointState(folder, stateSchema);
  const names = parts.map((part) => learnedPrefix + part);
  const tensors = await readCheckpointTensors(folder, engine, variables, names);
  const learned = Object.fromEntries(parts.map((part) => [part, tensors[learnedPrefix + part]!]));
  await removePartialFiles(runFolder);
  return { ...state, best: state.best, controllers: definedOnly(state.controllers), learned };
}

/** Writes the weights of the best step so far; to be followed by a checkpoint that names it. */
export async function saveBestWeights(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  step: number,
): Promise<void> {
  await writeSafetensors(join(runFolder, bestName(step)), tensorsOf(engine, variables, ['value']));
}

/** Reads the weights of a best step into the engine. */
export async function restoreBestWeights(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  step: number,
): Promise<void> {
  await readTensors(join(runFolder, bestName(step)), engine, variables, ['value']);
}

/** Controllers that a run has; zod leaves keys of undefined. */
function definedOnly(
  states: Readonly<Partial<Record<'queries' | 'documents', LambdaControllerState | undefined>>>,
): ControllerStates {
  return Object.fromEntries(Object.entries(states).filter(([, state]) => state !== undefined));
}

function bestName(step: number): string {
  return `best-${paddedStep(step)}.safetensors`;
}
