/** `README.md` and `requirements.txt` of an exported training run. */
import { toolName } from '../../util/version.ts';
import type { HubDataset } from './script.ts';
import type { StTrainConfig } from './settings.ts';

/** `requirements.txt`. */
export const trainingRequirements = `sentence-transformers>=5.1
accelerate
datasets
`;

/** What the guide speaks of. */
export interface GuideFacts {
  readonly config: StTrainConfig;
  readonly architecture: string;
  readonly parameters: number;
  /** Rows of `train.jsonl`; undefined for a data set of the hub. */
  readonly rows: number | undefined;
  readonly columns: readonly string[] | undefined;
  readonly hubDataset: HubDataset | undefined;
  readonly hasDev: boolean;
  /** The manifest of the model has a record of corrections. */
  readonly corrected: boolean;
}

/** The text of `README.md`. Names from outside are in it as JSON within code spans only. */
export function trainingGuide(facts: GuideFacts): string {
  const { config, architecture, parameters, hasDev, corrected } = facts;
  const head = corrected ? '; its MLM head was corrected, see `config.head` in `model/manifest.json`' : '';
  return [
    '# A training run for sentence-transformers',
    `Written by ${toolName}. \`train.py\` trains \`model/\` (${architecture}, ${parameters.toLocaleString('en-US')} parameters${head}) into a sparse retriever and writes it to \`trained/\`.`,
    '```sh\npip install -r requirements.txt\npython train.py --max-steps 3 --output try    # does it run at all?\ntorchrun --nproc-per-node 8 train.py           # eight GPUs of one machine\npython train.py                                # one GPU, or none (slow)\n```',
    'For several machines, on each of them, `NODES` being their number, `RANK` its own from 0, and `HOST` the name of the first:',
    '```sh\ntorchrun --nnodes NODES --node-rank RANK --nproc-per-node 8 --master-addr HOST --master-port 29500 train.py\n```',
    '`--resume` goes on from the newest checkpoint in `trained.checkpoints/`.',
    `Data: ${dataSentence(facts)}${hasDev ? ' `dev/` is measured ten times in the run.' : ''}`,
    recipeTable(config),
    'The values stand at the top of `train.py`. A step sees one batch **of each GPU**: with eight GPUs a run has an eighth of the steps, and warm-up and ramp, which are shares, shrink with it. `ACCUMULATION = 8` on one GPU makes the steps that eight GPUs make, since negatives and FLOPS are those of the batch of one GPU (unless `GATHER` is on).',
    [
      'What differs from `lexray finetune` with the same values:',
      '',
      '* Each row is seen once in an epoch. `lexray finetune` sees each query once, with one of its positives and negatives drawn at random.',
      '* A batch has no text twice (`NO_DUPLICATES`), which stands in for the check of known positives.',
      '* Queries and documents are cut at the same length.',
      '* On several GPUs sentence-transformers drops the last, incomplete batch.',
      '* Dropout is that of `model/config.json`.',
    ].join('\n'),
    'Back in Lexray (the script copies `lexray.json` to the trained folder):',
    '```sh\nlexray evaluate trained --data BEIR_FOLDER\n```',
  ]
    .join('\n\n')
    .concat('\n');
}

function dataSentence({ rows, columns, hubDataset }: GuideFacts): string {
  if (hubDataset === undefined) {
    return `\`train.jsonl\`, ${rows} rows with the columns ${(columns ?? []).join(', ')}. Nothing is fetched from the hub.`;
  }
  const { name, revision, subset, split = 'train', columns: chosen } = hubDataset;
  const parts = [
    code(name),
    ...(revision === undefined ? [] : [`revision ${code(revision)}`]),
    ...(subset === undefined ? [] : [`subset ${code(subset)}`]),
    `split ${code(split)}`,
    ...(chosen === undefined ? [] : [`columns ${chosen.map(code).join(', ')}`]),
  ];
  return `the hub's ${parts.join(', ')}; fetched when the script runs.`;
}

/** A text as a code span of one line. */
function code(text: string): string {
  return `\`${JSON.stringify(text).replaceAll('`', '\\u0060')}\``;
}

function recipeTable(config: StTrainConfig): string {
  const rows: [string, string | number][] = [
    ['epochs', config.epochs],
    ...(config.maxSteps === undefined ? [] : [['steps at most', config.maxSteps] as [string, number]]),
    ['rows of a batch, of each GPU', config.batchSize],
    ['batches of a GPU averaged for one step', config.accumulation],
    ['hard negatives of a row at most', config.negativesPerQuery],
    ['peak learning rate, linear to 0', config.learningRate],
    ['warm-up', `${percent(config.warmupRatio)} of the steps`],
    ['weight decay, gradient norm', `${config.weightDecay}, ${config.maxGradientNorm}`],
    ['loss', lossWords(config)],
    ['λ_q, λ_d (FLOPS)', `${config.queryRegularizerWeight}, ${config.documentRegularizerWeight}`],
    ['ramp of both', `quadratic over ${percent(config.regularizerRampRatio)} of the steps`],
    ['tokens of a text', config.maxLength],
    ['computes in', config.precision],
    ["negatives from other GPUs' batches", config.gatherAcrossDevices ? 'yes' : 'no'],
    ['seed', config.seed],
  ];
  return `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
}

function lossWords({ loss, temperature }: StTrainConfig): string {
  if (loss === 'margin-mse') return "MarginMSE after the teacher's scores, dot product";
  if (loss === 'kl') return `KL divergence from the teacher's scores, dot product, τ = ${temperature}`;
  return `InfoNCE, dot product, τ = ${temperature}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
