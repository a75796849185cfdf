/**
 * The folder `lexray-frontier`, version 1:
 *
 *     manifest.json     format, version, config, parents
 *     frontier.json     the frontier with the figures of every query, so that another can be compared with it
 *     frontier.md       its tables
 *     frontier.html     its page
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Frontier } from '../evaluate/frontier.ts';
import { badInput } from '../util/errors.ts';
import { readManifest, writeManifest } from '../util/manifest.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import { toolName } from '../util/version.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';

const frontierFormat = 'lexray-frontier';
const frontierVersion = 1;
const frontierFileName = 'frontier.json';

const count = z.number().min(0);
const postings = z.object({ lists: count, mean: count, cv2: count, p99: count, largest: count });
const schema = z.object({
  label: z.string(),
  documents: z.int().min(1),
  dimensions: z.int().min(1),
  qids: z.array(z.string()).min(1),
  k: z.int().min(1),
  points: z
    .array(
      z.object({
        query: z.string(),
        document: z.string(),
        cost: z.object({
          flops: count,
          queryActiveDims: count,
          documentActiveDims: count,
          emptyQueries: count,
          emptyDocuments: count,
          postings,
          postingsWithEmpty: postings,
        }),
        indexBytes: count,
        postingsTouched: z.array(count),
        milliseconds: z.array(count),
        measures: z.record(z.string(), z.array(z.number())),
      }),
    )
    .min(1),
});

/** Options of {@link writeFrontier}. */
export interface WriteFrontierOptions {
  /** The resolved options that made it, for the manifest. */
  readonly config: Readonly<Record<string, unknown>>;
  /** SHA-256 of what it was measured on, by role. */
  readonly parents: Readonly<Record<string, string>>;
  readonly seed?: number | undefined;
  readonly markdown: string;
  readonly html: string;
  /** Replace a folder that is there. @default false */
  readonly force?: boolean | undefined;
}

/**
 * Writes a frontier with its tables and its page; the folder appears whole or not at all.
 * @throws LexrayError USAGE when the folder is there already
 */
export async function writeFrontier(folder: string, frontier: Frontier, options: WriteFrontierOptions): Promise<void> {
  const { config, parents, seed, markdown, html, force = false } = options;
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      await writeFile(join(temporary, frontierFileName), `${JSON.stringify(frontier)}\n`);
      await writeFile(join(temporary, 'frontier.md'), markdown);
      await writeFile(join(temporary, 'frontier.html'), html);
      await writeManifest(temporary, {
        format: frontierFormat,
        version: frontierVersion,
        config,
        ...(seed === undefined ? {} : { seed }),
        parents,
        created: new Date().toISOString(),
        tool: toolName,
      });
    },
    { force },
  );
}

/**
 * Reads a frontier.
 * @throws LexrayError BAD_INPUT when the folder is none, or its figures do not fit together
 */
export async function readFrontier(folder: string): Promise<Frontier> {
  await readManifest(folder, frontierFormat, frontierVersion);
  const where = join(folder, frontierFileName);
  const cure = 'measure the frontier again';
  let value: unknown;
  try {
    value = JSON.parse(await readFile(where, 'utf8'));
  } catch (cause) {
    throw badInput(`cannot read a frontier: ${(cause as Error).message}`, { where, cause, cure });
  }
  const { success, data, error } = schema.safeParse(value);
  if (!success) throw badInput(`not a frontier: ${schemaComplaint(error, value)}`, { where, cure });
  for (const [i, point] of data.points.entries()) {
    const lists = { ...point.measures, postingsTouched: point.postingsTouched, milliseconds: point.milliseconds };
    for (const [name, values] of Object.entries(lists)) {
      if (values.length !== data.qids.length) {
        throw badInput(`point ${i} has ${values.length} values of ${name} for ${data.qids.length} queries`, {
          where,
          cure,
        });
      }
    }
  }
  return data;
}
