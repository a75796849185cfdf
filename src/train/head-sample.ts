/** What a head is judged by before a run: texts of its data, and its settings as a recipe. */
import type { TrainingExample } from '../data/read-training-examples.ts';
import { type JudgedRecipe, judgedRecipe } from '../head/recipes.ts';
import { Random } from '../util/random.ts';
import type { FinetuneConfig } from './finetune-config.ts';
import { runSteps } from './run-steps.ts';

/** Texts that are encoded at most. */
export const mostTexts = 256;

/** Queries and positives of some examples, drawn by a seed. */
export function headSample(examples: readonly TrainingExample[], seed: number): string[] {
  const order = new Random(seed).shuffle(Uint32Array.from(examples, (_, i) => i));
  const texts = new Set<string>();
  for (const i of order) {
    if (texts.size >= mostTexts) break;
    const { query, positive } = examples[i]!;
    for (const text of [positive, query]) if (text.trim() !== '') texts.add(text);
  }
  return [...texts];
}

/**
 * The settings of a run as a recipe that a head is judged for.
 * @param title what they are the settings of: "this run"
 */
export function settingsRecipe(
  config: Omit<FinetuneConfig, 'seed'>,
  examples: readonly TrainingExample[],
  title: string,
): JudgedRecipe {
  const queries = new Set(examples.map(({ query }) => query)).size;
  return judgedSettings({ ...config }, runSteps(config, queries), title);
}

/**
 * Settings by name as a recipe that a head is judged for.
 * @throws LexrayError BAD_INPUT when a setting does not fit
 */
export function judgedSettings(
  settings: Readonly<Record<string, unknown>>,
  steps: number,
  title: string,
): JudgedRecipe {
  return judgedRecipe({
    name: title,
    title: `the settings of ${title}`,
    source: `the settings of ${title}`,
    needs: [],
    settings,
    usualSteps: steps,
    origins: [],
    expected: [],
    notes: [],
  });
}
