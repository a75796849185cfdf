/** A run's resolved settings as a recipe of its own, to lie beside its result: `--recipe OUT.training/recipe.yaml` repeats it. */
import { stringify } from 'yaml';
import type { Recipe, RecipeSettings } from './recipe.ts';

const asRun = ', as it was run';

/**
 * The YAML of a recipe with the settings that a run really had. Origins are left out: they speak of the recipe's settings.
 * @param settings all settings, defaults included
 * @param overrides the texts of `--set`
 */
export function resolvedRecipe(recipe: Recipe, settings: RecipeSettings, overrides: readonly string[] = []): string {
  const changes = overrides.length > 0 ? `, with ${overrides.join(', ')}` : '';
  const { name, title, needs, expected, notes } = recipe;
  const resolved = {
    name,
    title: title.endsWith(asRun) ? title : `${title}${asRun}`,
    source: `the recipe ${name} (${recipe.source})${changes}`.slice(0, 1000),
    needs,
    settings,
    expected,
    notes,
  };
  return stringify(resolved, { lineWidth: 0, keepUndefined: false });
}
