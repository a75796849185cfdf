"""Vectors of sum pooling: what sentence-transformers gives for the tests' small model with another 1_SpladePooling/config.json.

    python scripts/golden/sum_pooling.py        (sentence-transformers 6.2.0; writes test/fixtures/goldens/sum-pooling.json)
"""

import json
import shutil
import tempfile
from pathlib import Path

from sentence_transformers import SparseEncoder

FIXTURES = Path(__file__).parents[2] / "test" / "fixtures"
TEXTS = [
    "rain",
    "rain rain rain in the city and rain in the garden",
    "the tree in the garden of the red house",
    "read a book, write a paper, learn to search",
    "",
    "fish",
]


def main():
    goldens = []
    for activation in ("relu", "log1p_relu"):
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model"
            shutil.copytree(FIXTURES / "tiny-model", model)
            path = model / "1_SpladePooling" / "config.json"
            config = {**json.loads(path.read_text()), "pooling_strategy": "sum", "activation_function": activation}
            path.write_text(json.dumps(config))
            encoder = SparseEncoder(str(model), device="cpu")
            vectors = encoder.encode(TEXTS, batch_size=8, convert_to_sparse_tensor=False)
            rows = [[round(value, 6) for value in row.tolist()] for row in vectors]
            goldens.append({"activation": activation, "config": config, "vectors": rows})
    target = FIXTURES / "goldens" / "sum-pooling.json"
    target.write_text(json.dumps({"texts": TEXTS, "goldens": goldens}) + "\n")


if __name__ == "__main__":
    main()
