"""Does sentence-transformers give the vectors that Lexray gives? Run by hand on a folder that Lexray wrote.

    python scripts/golden/encode_check.py write MODEL TEXTS.jsonl -o VECTORS.jsonl
    python scripts/golden/encode_check.py compare MODEL VECTORS.jsonl [--tolerance 1e-5]

Works with sentence-transformers 5.0.0 to 6.2.0 (the goldens' versions: requirements.txt beside this file; for 5.0.0 see
bench/peers/requirements-5.0.txt). A text a line:

    {"text": "...", "kind": "query" | "document"}                     `kind` is "document" where it is absent
    {"text": "...", "kind": ..., "indices": [...], "values": [...]}    what `write` writes and `compare` reads

`compare` encodes every text again, one by one and in batches of 8, prints one JSON line, and exits with 1 if any weight of
any dimension (0 where a vector does not name it) differs by more than the tolerance.
"""

import argparse
import json
import sys

import sentence_transformers
import torch
import transformers
from sentence_transformers import SparseEncoder


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def encode(model, rows, batch_size):
    """One dense vector [V] a row, in the order of the rows."""
    vectors = [None] * len(rows)
    for kind, method in (("query", model.encode_query), ("document", model.encode_document)):
        chosen = [i for i, row in enumerate(rows) if row.get("kind", "document") == kind]
        if chosen:
            found = method([rows[i]["text"] for i in chosen], batch_size=batch_size, convert_to_sparse_tensor=False)
            for i, vector in zip(chosen, found):
                vectors[i] = vector.cpu()
    missing = [row["kind"] for row, vector in zip(rows, vectors) if vector is None]
    if missing:
        raise SystemExit(f'kind must be "query" or "document", not {missing[0]!r}')
    return vectors


def write(model, rows, path):
    with open(path, "w", encoding="utf-8") as file:
        for row, vector in zip(rows, encode(model, rows, 8)):
            indices = vector.nonzero().ravel().tolist()
            line = {"text": row["text"], "kind": row.get("kind", "document"), "indices": indices, "values": vector[indices].tolist()}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def compare(model, rows, tolerance):
    worst, at, differing = 0.0, None, 0
    singles, batched = encode(model, rows, 1), encode(model, rows, 8)
    for row, *expected in zip(rows, singles, batched):
        ours = torch.zeros_like(expected[0])
        if len(row["indices"]) != len(row["values"]) or any(not 0 <= i < len(ours) for i in row["indices"]):
            raise SystemExit(f"indices and values do not fit {len(ours)} dimensions: {row['text'][:60]!r}")
        ours[row["indices"]] = torch.tensor(row["values"], dtype=ours.dtype)
        error = max((ours - vector).abs().max().item() for vector in expected)
        differing += not error <= tolerance  # so that a NaN differs
        if at is None or not error <= worst:
            worst, at = error, row["text"]
    active = sum(len(row["indices"]) for row in rows) / max(1, len(rows))
    print(
        json.dumps(
            {
                "sentence-transformers": sentence_transformers.__version__,
                "transformers": transformers.__version__,
                "texts": len(rows),
                "activeDims": active,
                "largestError": worst,
                "tolerance": tolerance,
                "differing": differing,
                "worstText": (at or "")[:80],
            },
            ensure_ascii=False,
        )
    )
    return differing == 0 and len(rows) > 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("model")
    parser.add_argument("texts")
    parser.add_argument("-o", "--output")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    options = parser.parse_args()
    if options.action == "write" and not options.output:
        parser.error("write needs -o FILE")
    torch.set_num_threads(2)
    model = SparseEncoder(options.model, device="cpu")
    rows = read_lines(options.texts)
    if options.action == "write":
        write(model, rows, options.output)
    elif not compare(model, rows, options.tolerance):
        sys.exit(1)


if __name__ == "__main__":
    main()
