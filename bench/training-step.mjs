// Sets a training step of Lexray up for the benches: a model folder, InfoNCE with FLOPS on both sides, AdamW as the peers have it.
import { openModelFolder } from '../dist/checkpoint/layouts/model-folder.js';
import { openOrtEngine } from '../dist/compute/runtime/ort-engine.js';
import { modelVariables } from '../dist/model/splade-graph.js';
import { InfoNceLoss } from '../dist/train/losses/info-nce.js';
import { Objective } from '../dist/train/objective.js';
import { FlopsRegularizer } from '../dist/train/regularizers/flops.js';
import { TransformerSide } from '../dist/train/side-encoder.js';
import { SingleGraphStep } from '../dist/train/training-step.js';

const regularizerWeights = { query_regularizer_loss: 0.05, document_regularizer_loss: 0.003 };
const adamW = {
  learningRate: 2e-5,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  withoutDecay: new Set(),
  maxGradientNorm: 1,
};

/** A model in an engine: `step(batch)` takes one training step on token ids. */
export async function openTraining({ config, weights, buckets = 4, threads = 2, ...options }) {
  const engine = await openOrtEngine({ threads });
  await engine.createVariables(modelVariables(config, true));
  for await (const { name, data } of weights) await engine.writeVariable(name, 'value', data);
  const side = new TransformerSide(config, { activation: 'relu', buckets, dropoutRate: 0, ...options });
  const objective = new Objective({
    losses: [{ loss: new InfoNceLoss(), weight: 1 }],
    regularizers: [
      { part: 'query_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'queries' },
      { part: 'document_regularizer_loss', regularizer: new FlopsRegularizer(), side: 'documents' },
    ],
  });
  const training = new SingleGraphStep(engine, { shared: side }, objective);
  let step = 0;
  return {
    step: async (batch) => {
      step++;
      const result = await training.run(batch, { regularizerWeights, seed: 0, step });
      const { gradientNorm } = await engine.adamW({ ...adamW, step });
      return { ...result, gradientNorm };
    },
    dispose: () => engine.dispose(),
  };
}

/** The same with the weights of a model folder. */
export async function openTrainingOf(folder, options) {
  const model = await openModelFolder(folder);
  const { config } = model.checkpoint;
  const training = await openTraining({ config, weights: model.checkpoint.loadWeights(), ...options });
  await model.close();
  return training;
}

/** A batch file of bench/peers/make_batch.py as a batch of a training step. */
export function trainingBatch({ queries, positives, negatives }) {
  const ids = (lists) => lists.map((list) => Int32Array.from(list));
  return {
    queries: ids(queries),
    documents: ids([...positives, ...negatives]),
    otherPositives: [],
    ownNegatives: [],
    teacherScores: [],
  };
}

/** Peak resident memory of this process, bytes. */
export function peakRss() {
  return process.resourceUsage().maxRSS * 1024;
}
