"""One step of masked language modelling in PyTorch on the CPU: the peer of bench/pretrain-step.

    python bench/peers/pretrain_step.py --model FOLDER --batch FILE [--head masked|full] [...]

waits for `step` and `quit` (protocol.py); with --steps N it takes N steps after --warmup and prints one line instead.

Model from make_model.py; the batch is a list of {ids, positions, labels}, all of one length. A step is zero_grad, forward,
backward, clip to norm 1, fused AdamW.

--head masked  the head's transform and decoder at masked positions only, then cross_entropy: the fair peer. What ModernBERT's
               own training does ("sparse prediction"), and whoever writes the loop by hand
--head full    transformers' BertForMaskedLM with labels: logits of all positions
"""

import argparse
import json
import os

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", required=True)
parser.add_argument("--batch", required=True)
parser.add_argument("--head", choices=["masked", "full"], default="masked")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--learning-rate", type=float, default=5e-4)
parser.add_argument("--weight-decay", type=float, default=0.01)
parser.add_argument("--steps", type=int, default=0)
parser.add_argument("--warmup", type=int, default=1)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import transformers  # noqa: E402

import protocol  # noqa: E402

torch.set_num_threads(options.threads)
transformers.logging.set_verbosity_error()


def main():
    model = transformers.BertForMaskedLM.from_pretrained(options.model)
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    groups = [
        {"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": options.weight_decay},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)
    with open(options.batch, encoding="utf-8") as file:
        batch = json.load(file)
    ids = torch.tensor([sequence["ids"] for sequence in batch])
    width = ids.shape[1]
    rows = torch.tensor([i * width + position for i, one in enumerate(batch) for position in one["positions"]])
    right = torch.tensor([label for one in batch for label in one["labels"]])
    labels = torch.full((ids.numel(),), -100).index_put((rows,), right).reshape(ids.shape)

    def loss():
        if options.head == "full":
            return model(input_ids=ids, labels=labels).loss
        hidden = model.bert(input_ids=ids).last_hidden_state.flatten(0, 1)[rows]
        return F.cross_entropy(model.cls.predictions(hidden), right)

    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return {"loss": value.item(), "grad_norm": norm.item()}

    described = {
        "head": options.head,
        "preload": os.environ.get("LD_PRELOAD", ""),
        "parameters": sum(p.numel() for p in model.parameters()),
    }
    protocol.answer("step", step, described, options.warmup, options.steps)


if __name__ == "__main__":
    main()
