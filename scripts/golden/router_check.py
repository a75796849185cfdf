"""Does sentence-transformers open the models with separate query encoders or token weights that Lexray writes? By hand.

    node scripts/build.mjs
    node scripts/golden/router_check.mjs WORK         writes models of every kind, and Lexray's vectors of some texts
    python scripts/golden/router_check.py WORK        opens them with the library of this Python and prints a table

Checked with sentence-transformers 5.0.0 (transformers 4.56.2), 5.7.0 and 6.2.0 (transformers 5.23.0); requirements.txt beside this
file has the goldens' versions. For each model: the largest |difference| of a weight in queries and in documents, and of
`similarity`, which needs both of one width, from the dot products of Lexray's vectors. Exits with 1 if one is over 1e-5.
"""

import sys
from pathlib import Path

import sentence_transformers
import torch
import transformers
from encode_check import encode, read_lines
from sentence_transformers import SparseEncoder

TOLERANCE = 1e-5


def dense(rows, width):
    matrix = torch.zeros(len(rows), width, dtype=torch.float64)
    for row, vector in zip(rows, matrix):
        vector[row["indices"]] = torch.tensor(row["values"], dtype=torch.float64)
    return matrix


def check(folder):
    rows = read_lines(folder.with_suffix(".jsonl"))
    model = SparseEncoder(str(folder), device="cpu")
    found = encode(model, rows, 8)
    errors = {}
    sides = {}
    for kind in ("query", "document"):
        chosen = [i for i, row in enumerate(rows) if row["kind"] == kind]
        theirs = torch.stack([found[i].double() for i in chosen])
        ours = dense([rows[i] for i in chosen], theirs.shape[1])
        errors[kind] = (theirs - ours).abs().max().item()
        sides[kind] = ours
        sides[kind + " texts"] = [rows[i]["text"] for i in chosen]
    similarity = model.similarity(
        model.encode_query(sides["query texts"]), model.encode_document(sides["document texts"])
    ).double()
    expected = sides["query"] @ sides["document"].T
    errors["similarity"] = ((similarity - expected).abs().max() / expected.abs().max().clamp(min=1)).item()
    return errors


def main():
    torch.set_num_threads(1)
    work = Path(sys.argv[1])
    failed = False
    print(f"sentence-transformers {sentence_transformers.__version__}, transformers {transformers.__version__}")
    for folder in sorted(path for path in work.iterdir() if path.is_dir()):
        try:
            errors = check(folder)
            failed |= not all(error <= TOLERANCE for error in errors.values())
            print(f"{folder.name:20}", "  ".join(f"{name} {error:.1e}" for name, error in errors.items()))
        except Exception as error:  # a model that does not open is a line of the table
            failed = True
            print(f"{folder.name:20} {type(error).__name__}: {error}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
