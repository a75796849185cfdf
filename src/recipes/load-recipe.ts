/** Recipes by name, which lie beside this file, or from a YAML file of the user's. */
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { closest } from '../util/closest.ts';
import { badInput, LexrayError } from '../util/errors.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import { type Recipe, recipeSchema } from './recipe.ts';
import { recipeNames } from './recipe-names.ts';

const largestRecipe = 1 << 20;
/** Those beside this file that were read: a study asks for its recipe in every cell. */
const known = new Map<string, Recipe>();

/**
 * A recipe by name or path; a name that is known wins.
 * @throws LexrayError USAGE when there is no such recipe; BAD_INPUT when a file is none
 */
export function loadRecipe(nameOrPath: string): Recipe {
  if ((recipeNames as readonly string[]).includes(nameOrPath)) {
    const recipe = known.get(nameOrPath) ?? readRecipe(fileURLToPath(new URL(`./${nameOrPath}.yaml`, import.meta.url)));
    known.set(nameOrPath, recipe);
    return recipe;
  }
  if (/[\\/]|\.(ya?ml|json)$/i.test(nameOrPath)) return readRecipe(nameOrPath);
  const near = closest(nameOrPath, recipeNames);
  throw new LexrayError(
    'USAGE',
    `expected a recipe from ${recipeNames.join(', ')}, or a path to a YAML file, got ${JSON.stringify(nameOrPath)}`,
    near === undefined ? {} : { cure: `did you mean ${near}?` },
  );
}

function readRecipe(path: string): Recipe {
  let content: string;
  try {
    const { size } = statSync(path);
    if (size > largestRecipe) throw new Error(`it has ${size} bytes, more than ${largestRecipe}`);
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw badInput(`cannot read the recipe: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: `check the path, or use one of ${recipeNames.join(', ')}`,
    });
  }
  let value: unknown;
  try {
    value = parse(content, { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    const [message] = (cause as Error).message.split('\n');
    throw badInput(`the recipe is not YAML: ${message}`, { where: path, cause, cure: 'mend the line it names' });
  }
  const parsed = recipeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw badInput(`the recipe does not fit: ${schemaComplaint(parsed.error, value, 'at its top')}`, {
    where: path,
    cure: 'a recipe has name, title, source and settings; those of Lexray are examples',
  });
}
