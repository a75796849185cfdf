"""Goldens of src/checkpoint, and the check that transformers and sentence-transformers open what it writes.

    python scripts/golden/checkpoint.py make                      # versions: requirements.txt beside this file
    python scripts/golden/checkpoint.py check SOURCE WRITTEN      # by hand: SOURCE copied by writeModelFolder to WRITTEN

`make` writes into test/fixtures/goldens/:
* checkpoint.json: for each folder, every weight as safetensors and numpy read it (name in today's spelling, shape, sum,
  sum of squares, first four and last element); pairs of binary32, binary16 and bfloat16 words as PyTorch rounds them;
  the values of checkpoint-types.safetensors as binary32
* checkpoint-types.safetensors: one tensor of each of several types, a scalar and an empty one

`check` compares every weight of the two folders as transformers loads them, the logits, and the SPLADE vectors of
sentence-transformers, and exits with 1 if anything differs.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

root = Path(__file__).resolve().parents[2]
goldens = root / "test" / "fixtures" / "goldens"
folders = {
    "test/fixtures/tiny-model": root / "test/fixtures/tiny-model",
    **{
        f"../shared/{name}": root.parent / "shared" / name
        for name in ["goldens/hf_tiny", "goldens/st50", "goldens/st57", "goldens/st62", "data/ckpt-splade-tiny"]
    },
}


def describe(folder):
    weights = {}
    with safe_open(folder / "model.safetensors", framework="np") as file:
        for stored in file.keys():
            array = file.get_tensor(stored)
            name = stored.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
            flat = array.astype(np.float64).ravel()
            weights[name] = {
                "stored": stored,
                "shape": list(array.shape),
                "sum": float(flat.sum()),
                "sumOfSquares": float((flat * flat).sum()),
                "first": flat[:4].tolist(),
                "last": float(flat[-1]),
            }
    return weights


def halves():
    """Words around every place where rounding changes its step, and some thousand random ones."""
    edges = [0, 1, 0x33000000, 0x33800000, 0x38800000, 0x387FC000, 0x477FE000, 0x477FF000, 0x7F7F7FFF, 0x7F7FFFFF]
    edges += [0x3F800000 + (i << 11) for i in range(16)] + [0x38000000 + (i << 12) for i in range(16)]
    words = {word + step for word in edges for step in (-1, 0, 1) if word + step >= 0}
    words |= {0x7F800000} | {word | 0x80000000 for word in words}
    random = np.random.default_rng(7)
    words |= set(random.integers(0x30000000, 0x48000000, 400).tolist())
    words |= set(random.integers(0, 0x7F800000, 100).tolist())
    words = sorted(word for word in words if (word & 0x7FFFFFFF) <= 0x7F800000)
    floats = torch.from_numpy(np.array(words, dtype=np.uint32).view(np.float32).copy())
    f16 = floats.to(torch.float16).view(torch.int16).numpy().view(np.uint16)
    bf16 = floats.to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    return [[word, int(a), int(b)] for word, a, b in zip(words, f16, bf16)]


def types():
    generator = torch.Generator().manual_seed(11)
    values = torch.randn(5, 3, generator=generator)
    tensors = {
        "plain": values,
        "half": values.to(torch.float16),
        "brain": values.to(torch.bfloat16),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
        "integers": torch.arange(4, dtype=torch.int64),
        "double": values.to(torch.float64),
    }
    save_file(tensors, goldens / "checkpoint-types.safetensors", metadata={"format": "pt", "note": "a \"quoted\" ü"})
    read = ["plain", "half", "brain", "scalar", "empty"]
    return {name: tensors[name].to(torch.float32).ravel().tolist() for name in read}


def make():
    missing = [name for name, path in folders.items() if not path.exists()]
    if missing:
        sys.exit(f"not here: {', '.join(missing)}")
    golden = {
        "folders": {name: describe(path) for name, path in folders.items()},
        "types": types(),
        "halves": halves(),
    }
    (goldens / "checkpoint.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def check(source, written):
    import sentence_transformers
    import transformers
    from sentence_transformers import SparseEncoder
    from transformers import AutoModelForMaskedLM

    models = []
    for folder in (source, written):
        model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
        lost = {key: sorted(info[key]) for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[key]}
        if lost and folder == written:
            sys.exit(f"{folder}: {lost}")
        models.append(model.eval())
    states = [model.state_dict() for model in models]
    if states[0].keys() != states[1].keys():
        sys.exit(f"other names: {sorted(states[0].keys() ^ states[1].keys())}")
    worst = max((states[0][name] - states[1][name]).abs().max().item() for name in states[0])
    ids = torch.randint(0, models[0].config.vocab_size, (3, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = (models[0](ids).logits - models[1](ids).logits).abs().max().item()
    texts = ["The weather is lovely today.", "what", ""]
    vectors = [
        SparseEncoder(folder, device="cpu").encode(texts, convert_to_sparse_tensor=False) for folder in (source, written)
    ]
    splade = (vectors[0] - vectors[1]).abs().max().item()
    result = {
        "transformers": transformers.__version__,
        "sentence-transformers": sentence_transformers.__version__,
        "weights": worst,
        "logits": logits,
        "vectors": splade,
        "active": (vectors[1] > 0).sum(-1).tolist(),
    }
    print(json.dumps(result))
    sys.exit(1 if max(worst, logits, splade) > 0 else 0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["make", "check"])
    parser.add_argument("folders", nargs="*")
    arguments = parser.parse_args()
    make() if arguments.command == "make" else check(*arguments.folders)
