/** The settings of a run from a recipe and `--set`, checked against the schema of fine-tuning. */
import { z } from 'zod';
import { applyOverrides, parseOverride } from '../recipes/overrides.ts';
import type { Recipe } from '../recipes/recipe.ts';
import { closest } from '../util/closest.ts';
import { LexrayError } from '../util/errors.ts';
import { complaintOf } from '../util/schema-complaint.ts';
import { type FinetuneSettings, finetuneConfigSchema } from './finetune-config.ts';

/**
 * Settings of a recipe, without defaults, so that others can be laid over them.
 * @param overrides texts of `--set`, `NAME=VALUE`
 * @throws LexrayError CONFIG when a setting is not known or does not fit; USAGE when an override cannot be read
 */
export function recipeSettings(recipe: Recipe, overrides: readonly string[] = []): FinetuneSettings {
  const settings = applyOverrides(recipe.settings, overrides.map(parseOverride));
  const parsed = finetuneConfigSchema.safeParse(settings);
  if (parsed.success) return settings as FinetuneSettings;
  throw settingError(parsed.error.issues[0]!, settings, recipe.name);
}

function settingError(issue: z.core.$ZodIssue, settings: unknown, recipe: string): LexrayError {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys as [string];
    const near = closest(key, keysAt(path));
    return new LexrayError('CONFIG', `recipe ${recipe}: there is no setting ${[...path, key].join('.')}`, {
      cure: near === undefined ? 'see lexray finetune --help' : `did you mean ${[...path, near].join('.')}?`,
    });
  }
  const complaint = complaintOf(issue, settings);
  return new LexrayError('CONFIG', `recipe ${recipe}: setting ${path.join('.')}: ${complaint}`, {
    cure: 'mend it in the recipe, or replace it with --set',
  });
}

/** Names of the settings at a place of the schema. */
function keysAt(path: readonly string[]): string[] {
  const node = path.reduce<unknown>((outer, name) => shapeOf(outer)?.[name], finetuneConfigSchema);
  return Object.keys(shapeOf(node) ?? {});
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return shapeOf(schema.unwrap());
  }
  return schema instanceof z.ZodObject ? schema.shape : undefined;
}
