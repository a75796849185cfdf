/**
 * Checkpoints of a run as folders: `checkpoint-00000200/` holds the variables' values and moments (state.safetensors) and
 * what else the next step depends on (state.json). A checkpoint appears whole or not at all, so that the newest one that is
 * there can always be resumed from.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { openSafetensors } from '../checkpoint/safetensors-reader.ts';
import { type WritableTensor, writeSafetensors } from '../checkpoint/safetensors-writer.ts';
import type { Engine, VariablePart, VariableSpec } from '../compute/runtime/engine.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';

/** What makes up a checkpoint. */
export interface CheckpointContent {
  /** Steps done. */
  readonly step: number;
  /** Goes to state.json. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Tensors beside those of the variables. */
  readonly tensors?: readonly WritableTensor[] | undefined;
}

const tensorFile = 'state.safetensors';
const savedParts: readonly VariablePart[] = ['value', 'firstMoment', 'secondMoment'];

/**
 * Writes a checkpoint and removes all but the newest `keep`.
 * @returns the folders that are left, oldest first
 */
export async function writeCheckpoint(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  { step, state, tensors = [] }: CheckpointContent,
  keep: number,
): Promise<string[]> {
  await writeFolderAtomic(
    join(runFolder, `checkpoint-${paddedStep(step)}`),
    async (temporary) => {
      await writeSafetensors(join(temporary, tensorFile), [...tensorsOf(engine, variables, savedParts), ...tensors]);
      await writeFile(join(temporary, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
    },
    { force: true, owned: true },
  );
  const checkpoints = await listCheckpoints(runFolder);
  for (const folder of checkpoints.slice(0, -keep)) await rm(folder, { recursive: true, force: true });
  return checkpoints.slice(-keep);
}

/** Folder of the newest checkpoint of a run, if there is one. */
export async function newestCheckpoint(runFolder: string): Promise<string | undefined> {
  return (await listCheckpoints(runFolder)).at(-1);
}

/**
 * Reads state.json of a checkpoint.
 * @throws LexrayError BAD_INPUT when it is damaged
 */
export async function readCheckpointState<State>(folder: string, schema: z.ZodType<State>): Promise<State> {
  try {
    return schema.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
  } catch (cause) {
    throw damaged(folder, cause);
  }
}

/**
 * Reads the variables of a checkpoint into the engine, and tensors beside them.
 * @param names of the other tensors
 * @throws LexrayError BAD_INPUT when it is damaged or does not fit
 */
export async function readCheckpointTensors(
  folder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  names: readonly string[] = [],
): Promise<Record<string, Float32Array>> {
  const others: Record<string, Float32Array> = {};
  try {
    const path = join(folder, tensorFile);
    await readTensors(path, engine, variables, savedParts);
    const file = await openSafetensors(path);
    for (const name of names) others[name] = await file.readTensor(name);
    await file.close();
  } catch (cause) {
    throw damaged(folder, cause);
  }
  return others;
}

/** Removes what a killed run left half-written. */
export async function removePartialFiles(runFolder: string): Promise<void> {
  for (const name of await readdir(runFolder)) {
    if (name.endsWith('.partial')) await rm(join(runFolder, name), { recursive: true, force: true });
  }
}

/** Removes tensors and half-written files: a finished run keeps its settings and metrics only. */
export async function discardTensors(runFolder: string): Promise<void> {
  for (const name of await readdir(runFolder)) {
    if (/^(checkpoint|best)-\d|\.partial$/.test(name))
      await rm(join(runFolder, name), { recursive: true, force: true });
  }
}

/** The variables as tensors of a file, `PART/NAME`. */
export function tensorsOf(
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): WritableTensor[] {
  return parts.flatMap((part) =>
    withPart(variables, part).map(({ name, dims }) => ({
      name: `${part}/${name}`,
      shape: dims,
      data: () => engine.readVariable(name, part),
    })),
  );
}

/** Reads variables that {@link tensorsOf} has written. */
export async function readTensors(
  path: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const part of parts) {
      for (const { name } of withPart(variables, part))
        await engine.writeVariable(name, part, await file.readTensor(`${part}/${name}`));
    }
  } finally {
    await file.close();
  }
}

/** Variables that have a part: only those that are trained have moments. */
function withPart(variables: readonly VariableSpec[], part: VariablePart): readonly VariableSpec[] {
  return part === 'value' ? variables : variables.filter(({ trainable }) => trainable);
}

/** A step as it stands in names of files. */
export function paddedStep(step: number): string {
  return String(step).padStart(8, '0');
}

function damaged(folder: string, cause: unknown): LexrayError {
  const why = cause instanceof LexrayError ? `: ${cause.message}` : '';
  return badInput(`the checkpoint cannot be read${why}`, {
    where: folder,
    cause,
    cure: 'remove it and resume from the one before, or start anew with --force',
  });
}

/** Folders of the checkpoints of a run, oldest first. */
async function listCheckpoints(runFolder: string): Promise<string[]> {
  if (!existsSync(runFolder)) return [];
  const names = (await readdir(runFolder)).filter((name) => /^checkpoint-\d+$/.test(name)).sort();
  return names.map((name) => join(runFolder, name));
}
