"""sentence-transformers' SparseEncoder.encode on the CPU: the peer of bench/encode.

    python bench/peers/encode.py --model FOLDER --texts FILE.jsonl [--batch-size 32] [--max-length 256] [--limit N] [--bf16]
        [--head max-first] [--vectors FILE]

waits for `encode` and `quit` (protocol.py); with --runs N it encodes N times after --warmup and prints one line instead.
A text a line: {"title": ..., "text": ...} as in a BEIR corpus, or {"text": ...}. All texts are encoded, as sparse tensors, at
each `encode`; sentence-transformers tokenizes and sorts them by length itself, and that is part of the time.

--head max-first is what sentence-transformers does with another order in the head: the maximum over the tokens comes before ReLU and
log1p, in place, and only then are there vectors. --vectors writes those of the first encoding: FILE.offsets (int64), FILE.indices
(int32) and FILE.values (float32), rows in the order of the texts.
"""

import argparse
import json
import os

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", required=True)
parser.add_argument("--texts", required=True)
parser.add_argument("--kind", choices=["query", "document"], default="document")
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--max-length", type=int, default=256)
parser.add_argument("--limit", type=int)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--head", choices=["SpladePooling", "max-first"], default="SpladePooling")
parser.add_argument("--vectors")
parser.add_argument("--bf16", action="store_true", help="weights and arithmetic in bfloat16")
parser.add_argument("--runs", type=int, default=0)
parser.add_argument("--warmup", type=int, default=1)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(options.threads)
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["TQDM_DISABLE"] = "1"

import torch  # noqa: E402
import transformers  # noqa: E402
from sentence_transformers import SparseEncoder  # noqa: E402

import protocol  # noqa: E402

torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)
transformers.logging.set_verbosity_error()


def write(csr, path):
    for name, tensor, dtype in (
        ("offsets", csr.crow_indices(), torch.int64),
        ("indices", csr.col_indices(), torch.int32),
        ("values", csr.values(), torch.float32),
    ):
        tensor.to(dtype).numpy().tofile(f"{path}.{name}")


def main():
    with open(options.texts, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()][: options.limit]
    texts = [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
    model = SparseEncoder(options.model, device="cpu", model_kwargs={"torch_dtype": torch.bfloat16} if options.bf16 else None)
    model.max_seq_length = options.max_length
    method = model.encode_query if options.kind == "query" else model.encode_document

    def whole():
        return method(texts, batch_size=options.batch_size, show_progress_bar=False)

    bert = getattr(model[0], "auto_model", None) or model[0].model
    unwritten = [options.vectors] if options.vectors else []

    def max_first():
        """As `encode` of sentence-transformers: batches of texts by length, sparse rows put back into the order of the texts."""
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        rows = [None] * len(texts)
        for start in range(0, len(order), options.batch_size):
            batch = order[start : start + options.batch_size]
            inputs = model.tokenizer(
                [texts[i] for i in batch], padding=True, truncation=True, max_length=options.max_length, return_tensors="pt"
            )
            logits = bert(**inputs).logits
            logits.masked_fill_(inputs["attention_mask"].unsqueeze(-1) == 0, float("-inf"))
            pooled = logits.amax(dim=1).float().relu_().log1p_()
            for i, row in zip(batch, pooled):
                rows[i] = row.to_sparse()
        return torch.stack(rows)

    def encode():
        vectors = (max_first if options.head == "max-first" else whole)()
        for path in unwritten:
            write(vectors.coalesce().to_sparse_csr(), path)
        unwritten.clear()
        return {"texts": len(texts), "active_dims": vectors._nnz() / len(texts)}

    described = {
        "head": options.head,
        "batch_size": options.batch_size,
        "max_length": options.max_length,
        "bf16": options.bf16,
        "preload": os.environ.get("LD_PRELOAD", ""),
    }
    protocol.answer("encode", encode, described, options.warmup, options.runs)


if __name__ == "__main__":
    main()
