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
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openSafetensors } from '../checkpoint/safetensors-reader.ts';
import { type WritableTensor, writeSafetensors } from '../checkpoint/safetensors-writer.ts';
import type { Engine, VariablePart, VariableSpec } from '../compute/runtime/engine.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import type { SamplerState } from './batch-sampler.ts';
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
const savedParts: readonly VariablePart[] = ['value', 'firstMoment', 'secondMoment'];

/** Writes a checkpoint, removes all but the newest `keep`, and weights of best steps that none of them names. */
export async function saveTrainingState(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  state: TrainingState,
  keep: number,
): Promise<void> {
  const folder = join(runFolder, checkpointName(state.step));
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      const learned = Object.entries(state.learned).map(([part, data]) => ({
        name: learnedPrefix + part,
        shape: [data.length],
        data: () => data,
      }));
      const tensors = [...tensorsOf(engine, variables, savedParts), ...learned];
      await writeSafetensors(join(temporary, 'state.safetensors'), tensors);
      const json = { ...state, learned: Object.keys(state.learned) };
      await writeFile(join(temporary, 'state.json'), `${JSON.stringify(json, null, 2)}\n`);
    },
    { force: true, owned: true },
  );
  const checkpoints = await listCheckpoints(runFolder);
  for (const name of checkpoints.slice(0, -keep)) await rm(join(runFolder, name), { recursive: true, force: true });
  const named = new Set<string>();
  for (const name of checkpoints.slice(-keep)) {
    const { best } = await readState(join(runFolder, name));
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
  const newest = (await listCheckpoints(runFolder)).at(-1);
  if (newest === undefined) return undefined;
  const folder = join(runFolder, newest);
  const { learned, ...state } = await readState(folder);
  const vectors: Record<string, Float32Array> = {};
  try {
    const path = join(folder, 'state.safetensors');
    await readTensors(path, engine, variables, savedParts);
    const file = await openSafetensors(path);
    for (const part of learned) vectors[part] = await file.readTensor(learnedPrefix + part);
    await file.close();
  } catch (cause) {
    throw damaged(folder, cause);
  }
  for (const name of await readdir(runFolder)) {
    if (name.endsWith('.partial')) await rm(join(runFolder, name), { recursive: true, force: true });
  }
  return { ...state, best: state.best, controllers: definedOnly(state.controllers), learned: vectors };
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

/** Removes tensors and half-written files: a finished run keeps its settings and metrics only. */
export async function discardTensors(runFolder: string): Promise<void> {
  for (const name of await readdir(runFolder)) {
    if (/^(checkpoint|best)-\d|\.partial$/.test(name))
      await rm(join(runFolder, name), { recursive: true, force: true });
  }
}

async function readState(folder: string): Promise<z.infer<typeof stateSchema>> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
  } catch (cause) {
    throw damaged(folder, cause);
  }
}

/** Controllers that a run has; zod leaves keys of undefined. */
function definedOnly(
  states: Readonly<Partial<Record<'queries' | 'documents', LambdaControllerState | undefined>>>,
): ControllerStates {
  return Object.fromEntries(Object.entries(states).filter(([, state]) => state !== undefined));
}

function damaged(folder: string, cause: unknown): LexrayError {
  const why = cause instanceof LexrayError ? `: ${cause.message}` : '';
  return badInput(`the checkpoint cannot be read${why}`, {
    where: folder,
    cause,
    cure: 'remove it and resume from the one before, or start anew with --force',
  });
}

/** Names of the checkpoints of a run, oldest first. */
async function listCheckpoints(runFolder: string): Promise<string[]> {
  if (!existsSync(runFolder)) return [];
  return (await readdir(runFolder)).filter((name) => /^checkpoint-\d+$/.test(name)).sort();
}

function checkpointName(step: number): string {
  return `checkpoint-${padded(step)}`;
}

function bestName(step: number): string {
  return `best-${padded(step)}.safetensors`;
}

function padded(step: number): string {
  return String(step).padStart(8, '0');
}

function tensorsOf(
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): WritableTensor[] {
  return parts.flatMap((part) =>
    variables.map(({ name, dims }) => ({
      name: `${part}/${name}`,
      shape: dims,
      data: () => engine.readVariable(name, part),
    })),
  );
}

async function readTensors(
  path: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const part of parts) {
      for (const { name } of variables)
        await engine.writeVariable(name, part, await file.readTensor(`${part}/${name}`));
    }
  } finally {
    await file.close();
  }
}
