/** The names of the recipes beside this file: for help texts, which must not read files. */

/** Names of the recipes that come with Lexray, the default first. */
export const recipeNames = [
  'lexray',
  'st-mnrl',
  'rescaling-2606.18811',
  'splade-max',
  'splade-pp',
  'splade-v3',
  'esplade-2605.01407',
  'opensearch-doc-v3',
] as const;
