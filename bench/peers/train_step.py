"""One SPLADE training step in PyTorch on the CPU: the peer of bench/train-step.

    python bench/peers/train_step.py --model FOLDER --batch FILE [--impl plain|st] [--head naive|max-first|active] [...]

waits for `step` and `quit` (protocol.py); with --steps N it takes N steps after --warmup and prints one line instead.

Model, batch: from make_model.py and make_batch.py; several batches take turns. Loss: InfoNCE over positives and negatives of
the batch + FLOPS of queries and documents, as sentence-transformers' SpladeLoss. Optimizer: what its trainer takes by default:
fused AdamW after clipping to norm 1. A step is zero_grad, forward, backward, clip, AdamW on padded token ids; tokenizing
is not part of it. Queries run by themselves, positives and negatives together (as sentence-transformers 6 does).

--impl st     sentence-transformers' SparseEncoder, SpladeLoss and SparseMultipleNegativesRankingLoss themselves
--impl plain  the same transformers model and written-out loss, with a choice of heads:
   naive      what SpladePooling does: mask, relu and log1p of all B x L x V logits, then max
   max-first  max over tokens first, then relu and log1p of B x V
   active     max under no_grad in vocabulary tiles; only the logits that won and are positive are computed with a graph:
              what PyTorch could do, were it told; nobody ships it
"""

import argparse
import itertools
import json
import os

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", required=True)
parser.add_argument("--batch", required=True, nargs="+")
parser.add_argument("--impl", choices=["plain", "st"], default="plain")
parser.add_argument("--head", choices=["naive", "max-first", "active"], default="naive")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--autocast-bf16", action="store_true")
parser.add_argument("--optimizer", choices=["fused", "foreach"], default="fused")
parser.add_argument("--learning-rate", type=float, default=2e-5)
parser.add_argument("--weight-decay", type=float, default=0.0)
parser.add_argument("--max-grad-norm", type=float, default=1.0)
parser.add_argument("--query-weight", type=float, default=0.05)
parser.add_argument("--document-weight", type=float, default=0.003)
parser.add_argument("--dropout", type=float, default=0.0)
parser.add_argument("--steps", type=int, default=0)
parser.add_argument("--warmup", type=int, default=1)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TQDM_DISABLE"] = "1"

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import transformers  # noqa: E402

import protocol  # noqa: E402

torch.set_num_threads(options.threads)
transformers.logging.set_verbosity_error()
TILE = 4096


def pad(texts):
    width = max(map(len, texts))
    ids = torch.zeros((len(texts), width), dtype=torch.long)
    mask = torch.zeros((len(texts), width), dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask


def naive_head(hidden, mask, decoder):
    logits = F.linear(hidden, decoder.weight, decoder.bias)
    activated = (logits * mask.unsqueeze(-1).to(logits.dtype)).relu_().log1p()
    return activated.max(dim=1).values


def max_first_head(hidden, mask, decoder):
    logits = F.linear(hidden, decoder.weight, decoder.bias)
    if not mask.all():
        logits = logits.masked_fill_(mask.unsqueeze(-1) == 0, float("-inf"))
    return logits.max(dim=1).values.relu().log1p()


def active_head(hidden, mask, decoder):
    rows, width, size = hidden.shape
    vocabulary = decoder.weight.shape[0]
    where = []
    with torch.no_grad():
        blocked = None if mask.all() else mask == 0
        for first in range(0, vocabulary, TILE):
            tile = slice(first, min(first + TILE, vocabulary))
            logits = F.linear(hidden, decoder.weight[tile], decoder.bias[tile])
            if blocked is not None:
                logits.masked_fill_(blocked.unsqueeze(-1), float("-inf"))
            value, token = logits.max(dim=1)
            row, term = (value > 0).nonzero(as_tuple=True)
            where.append((row, term + first, token[row, term]))
    row, term, token = (torch.cat(parts) for parts in zip(*where))
    winners = hidden.reshape(rows * width, size)[row * width + token]
    logits = (winners * decoder.weight[term]).sum(-1) + decoder.bias[term]
    return torch.zeros((rows, vocabulary), dtype=logits.dtype).index_put((row, term), logits.relu().log1p())


HEADS = {"naive": naive_head, "max-first": max_first_head, "active": active_head}


def plain():
    model = transformers.BertForMaskedLM.from_pretrained(options.model)
    head = HEADS[options.head]

    def encode(ids, mask):
        hidden = model.cls.predictions.transform(model.bert(input_ids=ids, attention_mask=mask).last_hidden_state)
        return head(hidden, mask, model.cls.predictions.decoder)

    def prepare(batch):
        return pad(batch["queries"]), pad(batch["positives"] + batch["negatives"])

    def loss(features):
        queries, documents = (encode(*side).float() for side in features)
        base = F.cross_entropy(queries @ documents.T, torch.arange(len(queries)))
        flops = [(side.mean(dim=0) ** 2).sum() for side in (queries, documents)]
        return base + options.query_weight * flops[0] + options.document_weight * flops[1], queries, documents

    return model, prepare, loss


def sentence_transformers():
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss

    encoder = SparseEncoder(options.model, device="cpu")
    criterion = SpladeLoss(
        encoder,
        loss=SparseMultipleNegativesRankingLoss(encoder),
        query_regularizer_weight=options.query_weight,
        document_regularizer_weight=options.document_weight,
    )
    seen = {}

    def keep(module, arguments, output):
        seen.setdefault("vectors", []).append(output["sentence_embedding"].detach())

    encoder.register_forward_hook(keep)
    example = (encoder.preprocess if hasattr(encoder, "preprocess") else encoder.tokenize)(["a"])

    def prepare(batch):
        columns = []
        for column in ("queries", "positives", "negatives"):
            if not batch[column]:
                continue
            ids, mask = pad(batch[column])
            tensors = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
            columns.append({key: tensors.get(key, value) for key, value in example.items()})
        return columns

    def loss(features):
        seen.clear()
        total = sum(criterion([dict(column) for column in features], torch.zeros(0)).values())
        queries, *documents = seen["vectors"]
        return total, queries, torch.cat(documents)

    return encoder, prepare, loss


def main():
    model, prepare, loss = plain() if options.impl == "plain" else sentence_transformers()
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = options.dropout
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=options.learning_rate, weight_decay=options.weight_decay, **{options.optimizer: True}
    )
    batches = []
    for path in options.batch:
        with open(path, encoding="utf-8") as file:
            batches.append(json.load(file))
    turns = itertools.cycle([prepare(batch) for batch in batches])

    def step():
        features = next(turns)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.autocast_bf16):
            value, queries, documents = loss(features)
        value.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, options.max_grad_norm)
        optimizer.step()
        active = [(side.detach() > 0).sum().item() / len(side) for side in (queries, documents)]
        return {"loss": value.item(), "grad_norm": norm.item(), "query_active_dims": active[0], "document_active_dims": active[1]}

    described = {
        "impl": options.impl,
        "head": options.head if options.impl == "plain" else "SpladePooling",
        "bf16": options.autocast_bf16,
        "preload": os.environ.get("LD_PRELOAD", ""),
        "batch": [batch["name"] for batch in batches],
        "parameters": sum(p.numel() for p in parameters),
    }
    protocol.answer("step", step, described, options.warmup, options.steps)


if __name__ == "__main__":
    main()
