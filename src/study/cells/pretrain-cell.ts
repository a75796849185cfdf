/**
 * A cell that goes on pre-training a checkpoint, fine-tunes what comes of it like every other cell, and measures it. The unit of
 * what is said of pre-training is a pre-training: seeds of the cell are seeds of pre-training and of the fine-tuning behind it.
 *
 * Before anything is trained, the texts are searched for what must not be in them: judged documents and queries of the
 * collections, and the texts that the language model is measured on.
 *
 * A pre-training whose loss is no number any more counts 0 on every query.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findTextFiles } from '../../data/text-stream/find-text-files.ts';
import { streamTexts } from '../../data/text-stream/stream-texts.ts';
import { forecastPretrain } from '../../train/pretrain/pretrain.ts';
import { badInput } from '../../util/errors.ts';
import { makeFolder } from '../../util/make-folder.ts';
import { writeFileAtomic } from '../../util/write-atomic.ts';
import { digestOf } from '../cells.ts';
import { measureNothing, openCollection } from './cell-collections.ts';
import type { CellKind, CellWork } from './cell-kind.ts';
import { finetuneCell } from './finetune-cell.ts';
import { measuredBy } from './finetune-settings.ts';
import {
  finetuningOf,
  type PretrainCellSettings,
  parsePretrainCell,
  resolvedPretrainCell,
  resolvedPretraining,
} from './pretrain-settings.ts';
import { type PretrainedModel, pretrainedModel } from './pretrained-model.ts';
import { LeakageFinder, type TextLeakage } from './text-leakage.ts';

export const pretrainCell: CellKind = {
  name: 'pretrain',
  inputs(settings) {
    const cell = parsePretrainCell(settings);
    const { model, texts, heldOut } = cell.pretraining;
    const { data, dev, evaluate } = finetuningOf(cell);
    const folders = [...(dev ? [dev.folder] : []), ...evaluate.map(({ folder }) => folder)];
    return [...new Set([model, ...texts, ...Object.values(heldOut ?? {}).flat(), data, ...folders])];
  },
  resolve: (settings, digests) => resolvedPretrainCell(parsePretrainCell(settings), digests),
  measured: (settings) => measuredBy(finetuningOf(parsePretrainCell(settings))),
  async run(settings, work) {
    const cell = parsePretrainCell(settings);
    const leakage = await leakageOf(cell, work);
    const { pretraining, finetuneSeed = work.seed, finetuning } = cell;
    const made = await pretrainedModel(pretraining, pretraining.seed ?? work.seed, work);
    const { metrics, facts } = {
      metrics: { ...leakage.metrics, ...made.metrics },
      facts: factsOf(made, leakage.facts),
    };
    if (made.broken !== undefined) {
      const nothing = await measureNothing(finetuningOf(cell), work);
      return {
        metrics: { ...metrics, ...nothing.metrics, broken: 1, guardCollapse: 1 },
        scores: nothing.scores,
        facts: { ...facts, guard: `pre-training: ${made.broken}` },
        pretrainingCurves: made.curves,
      };
    }
    const tuned = await finetuneCell.run({ ...finetuning, backbone: made.model }, { ...work, seed: finetuneSeed });
    return {
      ...tuned,
      metrics: { ...metrics, ...tuned.metrics },
      facts: { ...facts, ...tuned.facts },
      ...(Object.keys(made.curves).length > 0 && { pretrainingCurves: made.curves }),
    };
  },
  async forecast(settings, work) {
    const { pretraining, finetuning } = parsePretrainCell(settings);
    const { model, texts, form, config } = pretraining;
    const { threads, signal, onProgress } = work;
    const first = await forecastPretrain({
      start: { model: work.at(model) },
      texts: texts.map(work.at),
      form,
      settings: { ...config, seed: 0 },
      ...{ threads, signal, onProgress },
    });
    const second = await finetuneCell.forecast({ ...finetuning, backbone: model }, work);
    return {
      seconds: first.seconds + second.seconds,
      memoryBytes: Math.max(first.memoryBytes, second.memoryBytes),
      basis: `${Math.round(first.seconds)} s of pre-training at ${Math.round(first.tokensPerSecond)} tokens/s, and ${second.basis}`,
    };
  },
};

function factsOf({ key, seconds }: PretrainedModel, facts: Readonly<Record<string, string>>): Record<string, string> {
  return { ...facts, pretrained: key, 'seconds of pre-training': seconds.toFixed(1) };
}

interface Leakage {
  readonly metrics: Readonly<Record<string, number>>;
  readonly facts: Readonly<Record<string, string>>;
}

/** What is held out of the texts; looked for once for the same texts and collections. */
async function leakageOf(cell: PretrainCellSettings, work: CellWork): Promise<Leakage> {
  const { texts, heldOut, form, leakage: mode } = cell.pretraining;
  const { dev, evaluate } = finetuningOf(cell);
  const collections = [...(dev ? [dev] : []), ...evaluate];
  const { pretrain: _, ...resolved } = resolvedPretrainCell(cell, work.digests);
  const known = resolvedPretraining(cell.pretraining, work.digests);
  const key = digestOf({
    ...{ texts: known.texts!, heldOut: known.heldOut ?? null, form: JSON.stringify(form) },
    ...{ dev: resolved.dev ?? null, evaluate: resolved.evaluate! },
  });
  const folder = work.cache ?? work.folder;
  const path = join(folder, `leakage-${key}.json`);
  let found: Record<string, TextLeakage>;
  if (existsSync(path)) found = JSON.parse(await readFile(path, 'utf8')) as Record<string, TextLeakage>;
  else {
    const { signal } = work;
    const files = async (paths: readonly string[]): Promise<string[]> => findTextFiles(paths.map(work.at));
    const measured: string[] = [];
    if (heldOut !== undefined) {
      const held = await files(Object.values(heldOut).flat());
      for await (const { text } of streamTexts(held, { ...form, signal })) measured.push(text);
    }
    const finder = new LeakageFinder({ ...(await judgedTexts(collections, work)), 'language model': measured });
    for await (const { text } of streamTexts(await files(texts), { ...form, signal })) finder.look(text);
    found = finder.found;
    await makeFolder(folder);
    await writeFileAtomic(path, `${JSON.stringify(found)}\n`);
  }
  const kinds = Object.entries(found);
  const leaked = kinds.filter(([, { equal, contained }]) => equal + contained > 0);
  const sentences = leaked.map(
    ([kind, { heldOut: all, equal, contained, examples }]) =>
      `${kind}: ${equal} of ${all} are texts of pre-training, ${contained} stand within one: ${examples.map((text) => JSON.stringify(text.slice(0, 80))).join(', ')}`,
  );
  if (sentences.length > 0 && mode === 'refuse') {
    throw badInput(`held-out texts are in the texts of pre-training. ${sentences.join('; ')}`, {
      cure: 'leave them out of the texts, or declare it: pretrain.leakage: report',
    });
  }
  return {
    metrics: Object.fromEntries(
      kinds.flatMap(([kind, { equal, contained }]) => [
        [`leaked ${kind}`, equal],
        [`leaked within texts ${kind}`, contained],
      ]),
    ),
    facts: sentences.length > 0 ? { leakage: sentences.join('; ') } : {},
  };
}

/** Judged documents and queries of the collections; other documents may be anywhere. */
async function judgedTexts(
  collections: readonly Parameters<typeof openCollection>[0][],
  work: CellWork,
): Promise<{ documents: string[]; queries: string[] }> {
  const [documents, queries]: [string[], string[]] = [[], []];
  for (const which of collections) {
    const collection = await openCollection(which, work);
    const judged = new Set([...collection.qrels.values()].flatMap((grades) => [...grades.keys()]));
    queries.push(...collection.queries.map(({ text }) => text));
    for await (const { docid, title, text } of collection.documents({ signal: work.signal })) {
      if (judged.has(docid)) documents.push([title, text].filter(Boolean).join(' '));
    }
  }
  return { documents, queries };
}
