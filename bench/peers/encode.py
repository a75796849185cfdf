"""sentence-transformers' SparseEncoder.encode on the CPU: the peer of bench/encode.

    python bench/peers/encode.py --model FOLDER --texts FILE.jsonl [--batch-size 32] [--max-length 256] [--limit N]

waits for `encode` and `quit` (protocol.py); with --runs N it encodes N times after --warmup and prints one line instead.
A text a line: {"title": ..., "text": ...} as in a BEIR corpus, or {"text": ...}. All texts are encoded, as sparse tensors, at
each `encode`; sentence-transformers tokenizes and sorts them by length itself, and that is part of the time.
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
transformers.logging.set_verbosity_error()


def main():
    with open(options.texts, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()][: options.limit]
    texts = [f"{row.get('title', '')} {row['text']}".strip() for row in rows]
    model = SparseEncoder(options.model, device="cpu", model_kwargs={"torch_dtype": torch.bfloat16} if options.bf16 else None)
    model.max_seq_length = options.max_length
    method = model.encode_query if options.kind == "query" else model.encode_document

    def encode():
        vectors = method(texts, batch_size=options.batch_size, show_progress_bar=False)
        return {"texts": len(texts), "active_dims": vectors._nnz() / len(texts)}

    described = {
        "batch_size": options.batch_size,
        "max_length": options.max_length,
        "bf16": options.bf16,
        "preload": os.environ.get("LD_PRELOAD", ""),
    }
    if options.runs:
        protocol.run("encode", encode, described, options.warmup, options.runs)
    else:
        protocol.serve("encode", encode, described)


if __name__ == "__main__":
    main()
