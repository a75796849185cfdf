// The control that is sparse from the start: a model of another one's shape and tokenizer, with random weights near the identity
// and a negative output bias, as the demo's start. It was trained on nothing, and yet fine-tuning does not have to make it
// sparse first, which is what random weights as they are fail at (docs/log.md, "The pilot").
//
//     node scripts/models/sparse-control.mjs MODEL -o FOLDER [--seed 1] [--force]
import { parseArgs } from 'node:util';
import { initializeWeights, openModelFolder, writeModelFolder } from '../../dist/index.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', short: 'o' },
    seed: { type: 'string', default: '1' },
    force: { type: 'boolean', default: false },
  },
});
if (positionals.length !== 1 || !options.output) {
  console.error('usage: node scripts/models/sparse-control.mjs MODEL -o FOLDER [--seed 1] [--force]');
  process.exit(2);
}
/** As the demo's start (`src/demo/recipe.ts`), with a bias that leaves about 150 active dimensions to four layers of 128. */
const start = { embeddingDeviation: 0.05, nearIdentity: true, outputBias: -1.4 };
const seed = Number(options.seed);
const model = await openModelFolder(positionals[0]);
try {
  const { config } = model.checkpoint;
  await writeModelFolder(
    options.output,
    {
      config,
      weights: initializeWeights(config, { ...start, seed }),
      tokenizer: model.tokenizerFolder,
      policy: model.policy,
      origin: { config: start, seed },
    },
    { dtype: 'BF16', force: options.force },
  );
} finally {
  await model.close();
}
