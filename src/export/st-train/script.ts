/**
 * The text of `train.py`: a training script for sentence-transformers 5.1 or later, whose values stand at its top. It trains
 * `model/` on `train.jsonl` or a data set of the hub and writes `trained/`.
 */
import { toolName } from '../../util/version.ts';
import { type PythonValue, pythonLiteral } from './python-literal.ts';
import type { StTrainConfig } from './settings.ts';

/** A data set on the hub. */
export interface HubDataset {
  /** `org/name`. */
  readonly name: string;
  readonly revision?: string | undefined;
  /** The configuration, where a data set has several: `triplet`. */
  readonly subset?: string | undefined;
  /** @default 'train' */
  readonly split?: string | undefined;
  /** Columns to use: query, positive, negatives… @default all, in their order */
  readonly columns?: readonly string[] | undefined;
}

/** What a script is made from. */
export interface ScriptFacts {
  readonly config: StTrainConfig;
  /** Where rows come from; undefined: `train.jsonl` beside the script. */
  readonly hubDataset: HubDataset | undefined;
  /** `dev/` is there. */
  readonly hasDev: boolean;
  /** Put before texts, as the model wants it. */
  readonly prompts: { readonly query: string; readonly document: string };
}

/** Writes the script. */
export function trainingScript({ config, hubDataset, hasDev, prompts }: ScriptFacts): string {
  const set = (name: string, value: PythonValue, comment?: string): string =>
    `${name} = ${pythonLiteral(value)}${comment === undefined ? '' : `  # ${comment}`}`;
  return [
    `"""Trains model/ into a sparse retriever, trained/, with sentence-transformers 5.1 or later. Written by ${toolName}.`,
    '',
    '    python train.py                              one GPU, or none',
    '    torchrun --nproc-per-node 8 train.py         eight GPUs',
    '    python train.py --max-steps 3 --output try   does it run at all?',
    '"""',
    imports,
    '# The recipe.',
    set('EPOCHS', config.epochs),
    set('MAX_STEPS', config.maxSteps ?? -1, '-1: as EPOCHS says'),
    set('BATCH_SIZE', config.batchSize, 'rows, of each GPU'),
    set('ACCUMULATION', config.accumulation, 'batches of a GPU averaged for one step'),
    set('LEARNING_RATE', config.learningRate, 'peak of AdamW; linear to 0'),
    set('WARMUP_RATIO', config.warmupRatio, 'share of the steps'),
    set('WEIGHT_DECAY', config.weightDecay),
    set('MAX_GRADIENT_NORM', config.maxGradientNorm),
    set('LOSS', config.loss, "info-nce; margin-mse or kl: after a teacher's scores, the column label"),
    set('TEMPERATURE', config.temperature, 'tau of InfoNCE and of kl'),
    set('LAMBDA_Q', config.queryRegularizerWeight, 'FLOPS of queries'),
    set('LAMBDA_D', config.documentRegularizerWeight, 'FLOPS of documents'),
    set('RAMP_RATIO', config.regularizerRampRatio, 'share of the steps in which both rise quadratically from 0'),
    set('MAX_LENGTH', config.maxLength, 'tokens of a text'),
    set('PRECISION', config.precision, 'bf16, fp16 or fp32'),
    set('GATHER', config.gatherAcrossDevices, "documents of the other GPUs' batches are negatives too"),
    set('SEED', config.seed),
    set('LOG_EVERY', config.logEvery, 'steps'),
    set('SAVE_EVERY', config.saveEvery, 'steps'),
    set('KEEP_CHECKPOINTS', config.keepCheckpoints),
    '',
    '# The data. DATASET None: train.jsonl beside this script.',
    set('DATASET', hubDataset?.name),
    set('DATASET_REVISION', hubDataset?.revision),
    set('DATASET_SUBSET', hubDataset?.subset),
    set('DATASET_SPLIT', hubDataset?.split ?? 'train'),
    set('COLUMNS', hubDataset?.columns, 'query, positive, negatives; None: all, in their order'),
    set('MAX_NEGATIVES', config.negativesPerQuery),
    set('QUERY_PROMPT', prompts.query),
    set('DOCUMENT_PROMPT', prompts.document),
    set('DEV', hasDev, 'measure on dev/, ten times in the run'),
    set('NANO_BEIR', config.nanoBeir, 'measure on NanoBEIR, from the hub, ten times in the run'),
    body,
  ].join('\n');
}

const imports = `import argparse
import json
import logging
import shutil
from pathlib import Path

import torch
import transformers
from datasets import load_dataset
from sentence_transformers import SparseEncoder, SparseEncoderTrainer, SparseEncoderTrainingArguments
from sentence_transformers.sparse_encoder.callbacks.splade_callbacks import SpladeRegularizerWeightSchedulerCallback
from sentence_transformers.sparse_encoder.evaluation import SparseInformationRetrievalEvaluator, SparseNanoBEIREvaluator
from sentence_transformers.sparse_encoder.losses import (
    SparseDistillKLDivLoss,
    SparseMarginMSELoss,
    SparseMultipleNegativesRankingLoss,
    SpladeLoss,
)

HERE = Path(__file__).resolve().parent
LABELS = ("label", "labels", "score", "scores")
`;

const body = `

def read_arguments():
    parser = argparse.ArgumentParser(description="Trains model/ into a sparse retriever.")
    parser.add_argument("--output", default=str(HERE / "trained"), help="folder of the trained model")
    parser.add_argument("--max-steps", type=int, default=MAX_STEPS, help="stop after so many steps")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    return parser.parse_args()


def read_rows():
    if DATASET is None:
        rows = load_dataset("json", data_files=str(HERE / "train.jsonl"), split="train")
    else:
        rows = load_dataset(DATASET, DATASET_SUBSET, revision=DATASET_REVISION, split=DATASET_SPLIT)
    columns = COLUMNS or rows.column_names
    missing = [name for name in columns if name not in rows.column_names]
    if missing:
        raise SystemExit(f"the data have no column {missing[0]!r}; they have {rows.column_names}")
    labels = [name for name in rows.column_names if name in LABELS]
    columns = [name for name in columns if name not in LABELS]
    if LOSS == "info-nce":
        columns, labels = columns[: 2 + MAX_NEGATIVES], []
    elif not labels:
        raise SystemExit(f"the loss {LOSS} needs a teacher's scores in a column {LABELS[0]!r}; the data have {rows.column_names}")
    if len(columns) < 2 or not all(isinstance(rows[0][name], str) for name in columns):
        raise SystemExit(f"expected columns of text (query, positive, negatives), got {rows.features}; set COLUMNS")
    return rows.select_columns(columns + labels[:1])


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def evaluators():
    found = []
    if DEV:
        relevant = {}
        for line in (HERE / "dev" / "qrels" / "dev.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            qid, docid, grade = line.split("\\t")
            if int(grade) > 0:
                relevant.setdefault(qid, set()).add(docid)
        found.append(
            SparseInformationRetrievalEvaluator(
                queries={row["_id"]: row["text"] for row in read_lines(HERE / "dev" / "queries.jsonl")},
                corpus={row["_id"]: row["text"] for row in read_lines(HERE / "dev" / "corpus.jsonl")},
                relevant_docs=relevant,
                batch_size=BATCH_SIZE,
                name="dev",
            )
        )
    if NANO_BEIR:
        found.append(SparseNanoBEIREvaluator(batch_size=BATCH_SIZE))
    return found


def ranking_loss(model):
    if LOSS == "margin-mse":
        return SparseMarginMSELoss(model=model)
    if LOSS == "kl":
        return SparseDistillKLDivLoss(model=model, temperature=TEMPERATURE)
    return SparseMultipleNegativesRankingLoss(
        model=model, scale=1 / TEMPERATURE, **({"gather_across_devices": True} if GATHER else {})
    )


def precision():
    if PRECISION == "fp32":
        return {}
    supported = torch.cuda.is_available() and (PRECISION == "fp16" or torch.cuda.is_bf16_supported())
    if not supported:
        logging.warning("%s is not supported here: computing in float32", PRECISION)
    return {PRECISION: supported}


def warmup():
    # transformers 5 has one argument for both: a share below 1, or a number of steps.
    if int(transformers.__version__.split(".")[0]) < 5:
        return {"warmup_ratio": WARMUP_RATIO}
    return {"warmup_steps": min(WARMUP_RATIO, 1 - 1e-9)}


def main():
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    arguments = read_arguments()
    output = Path(arguments.output)
    model = SparseEncoder(str(HERE / "model"))
    model.max_seq_length = MAX_LENGTH
    rows = read_rows()
    query_column, *document_columns = [name for name in rows.column_names if name not in LABELS]
    prompts = {query_column: QUERY_PROMPT, **{name: DOCUMENT_PROMPT for name in document_columns}}

    loss = SpladeLoss(
        model=model,
        loss=ranking_loss(model),
        query_regularizer_weight=LAMBDA_Q,
        document_regularizer_weight=LAMBDA_D,
    )
    # A share of 0 would be replaced by 1/3.
    ramp = SpladeRegularizerWeightSchedulerCallback(loss=loss, warmup_ratio=max(RAMP_RATIO, 1e-9))
    evaluator = evaluators()
    trainer = SparseEncoderTrainer(
        model=model,
        args=SparseEncoderTrainingArguments(
            output_dir=str(output.with_name(output.name + ".checkpoints")),
            num_train_epochs=EPOCHS,
            max_steps=arguments.max_steps,
            per_device_train_batch_size=BATCH_SIZE,
            gradient_accumulation_steps=ACCUMULATION,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="linear",
            **warmup(),
            weight_decay=WEIGHT_DECAY,
            max_grad_norm=MAX_GRADIENT_NORM,
            **precision(),
            use_cpu=model.device.type == "cpu",
            batch_sampler="no_duplicates",
            prompts=prompts if QUERY_PROMPT or DOCUMENT_PROMPT else None,
            logging_steps=LOG_EVERY,
            save_strategy="steps",
            save_steps=SAVE_EVERY,
            save_total_limit=KEEP_CHECKPOINTS,
            eval_strategy="steps" if evaluator else "no",
            eval_steps=0.1 if evaluator else None,
            seed=SEED,
            report_to="none",
        ),
        train_dataset=rows,
        loss=loss,
        evaluator=evaluator or None,
        callbacks=[ramp],
    )
    trainer.train(resume_from_checkpoint=arguments.resume or None)
    if trainer.is_world_process_zero():
        model.save_pretrained(str(output))
        shutil.copy(HERE / "model" / "lexray.json", output / "lexray.json")
        logging.info("wrote %s", output)


if __name__ == "__main__":
    main()
`;
