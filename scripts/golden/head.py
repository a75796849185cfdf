"""What NumPy says of MLM heads, for src/head/head-statistics.test.ts: row norms, anisotropy, bias, LayerNorm.

    python scripts/golden/head.py        writes test/fixtures/goldens/head.json

Versions: numpy 2.x, safetensors 0.6+. Folders beside the repository (../shared) are left out where they are not.
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

root = Path(__file__).resolve().parents[2]
shared = root.parent / "shared"
names = {
    "bert": ("bert.embeddings.word_embeddings.weight", "cls.predictions.bias", "cls.predictions.transform.LayerNorm"),
    "distilbert": ("distilbert.embeddings.word_embeddings.weight", "vocab_projector.bias", "vocab_layer_norm"),
    "xlm-roberta": ("roberta.embeddings.word_embeddings.weight", "lm_head.bias", "lm_head.layer_norm"),
    "modernbert": ("model.embeddings.tok_embeddings.weight", "decoder.bias", "head.norm"),
}
folders = {
    "tiny-model": root / "test/fixtures/tiny-model",
    **{name: shared / "goldens" / name for name in ("hf_tiny", "mb_tiny", "db_tiny", "xr_tiny")},
    "ckpt-splade-tiny": shared / "data/ckpt-splade-tiny",
}


def describe(folder):
    config = json.loads((folder / "config.json").read_text())
    decoder, bias, norm = names[config["model_type"]]
    tensors = {name: array.astype(np.float64) for name, array in load_file(folder / "model.safetensors").items()}
    W = tensors[decoder]
    gamma = tensors.get(f"{norm}.weight", tensors.get(f"{norm}.gamma"))
    beta = tensors.get(f"{norm}.bias", tensors.get(f"{norm}.beta", np.zeros_like(gamma)))
    b = tensors[bias]
    norms = np.linalg.norm(W, axis=1)
    units = W[norms > 0] / norms[norms > 0, None]
    n = len(units)
    # Every cosine, where there are few rows; by blocks where there are many.
    cosines = sum(float((units[i : i + 512] @ units.T).sum()) for i in range(0, n, 512)) - n
    return {
        "rowNorms": norms[:200].tolist(),
        "rows": len(norms),
        "sumOfNorms": float(norms.sum()),
        "norm": [float(norms.mean()), float(norms.std()), float(norms.min()), float(norms.max())],
        "anisotropy": cosines / (n * (n - 1)),
        "bias": [float(b.mean()), float(b.std()), float(b.min()), float(b.max())],
        "gamma": [float(gamma.mean()), float(gamma.std()), float(gamma.min()), float(gamma.max())],
        "closedFormDeviation": float(np.linalg.norm(W * gamma, axis=1).mean()),
        "meanLogit": float((W @ beta + b).mean()),
        "zeroRows": int((norms == 0).sum()),
        "repeatedRows": int(n - len(np.unique(W[norms > 0].astype(np.float32), axis=0))),
    }


if __name__ == "__main__":
    golden = {name: describe(folder) for name, folder in folders.items() if folder.exists()}
    (root / "test/fixtures/goldens/head.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
