"""Goldens for one SPLADE training step of every model family: loss and every gradient, by PyTorch and transformers.

    python scripts/golden/family_steps.py     (versions: requirements.txt beside this file)

reads the models of families.py under test/fixtures/goldens/families/ and writes beside each:

    step.json            settings, batch (queries, positives, negatives: lists of token ids), loss, baseLoss, queryFlops,
                         documentFlops, margins (splade.py), transformers' version
    step.safetensors     the gradient of every parameter by transformers' name, a tied one once

Everything is computed in float64 from the stored weights and rounded once to float32; the loss is that of splade.py. Where
transformers has the bias of the decoder twice (`...decoder.bias` is used, the other is not), the golden has both.
No text has a padding token: PyTorch's embedding gives the row of padding no gradient, Lexray does as with any other row.
A `new` model is opened as `gte`; the gradients of both are renamed and packed as their weights are in files.
"""

import json
import random

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

import families
import splade

SETTINGS = {"temperature": 1.0, "queryRegularizerWeight": 0.05, "documentRegularizerWeight": 0.02}


def encode(model, texts, padding):
    """Pooled logits [B, V]."""
    width = max(len(text) for text in texts)
    ids = torch.tensor([text + [padding or 0] * (width - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])
    logits = model(input_ids=ids, attention_mask=mask).logits
    return logits.masked_fill(mask.unsqueeze(-1) == 0, float("-inf"))


def step(model, batch, padding):
    token_logits = [encode(model, texts, padding) for texts in (batch["queries"], batch["positives"] + batch["negatives"])]
    queries, documents = (torch.log1p(torch.relu(z.max(dim=1).values)) for z in token_logits)
    scores = queries @ documents.T / SETTINGS["temperature"]
    base = F.cross_entropy(scores, torch.arange(len(batch["queries"])))
    query_flops, document_flops = splade.flops(queries), splade.flops(documents)
    loss = base + SETTINGS["queryRegularizerWeight"] * query_flops + SETTINGS["documentRegularizerWeight"] * document_flops
    # How near the batch is to a kink of relu or of the maximum: an argmax may honestly differ in float32.
    kink = min(z.max(dim=1).values.abs().min().item() for z in token_logits)
    gaps = [z.topk(min(2, z.shape[1]), dim=1).values for z in token_logits]
    gap = min((g[:, 0] - g[:, -1])[torch.isfinite(g[:, -1]) & (g[:, 0] > 0)].min().item() for g in gaps)
    return loss, {"loss": loss, "baseLoss": base, "queryFlops": query_flops, "documentFlops": document_flops}, min(kink, gap)


def batch_of(longest, seed):
    generator = random.Random(seed)
    text = lambda length: [generator.randrange(4, families.VOCABULARY) for _ in range(length)]
    batch = {
        "queries": [text(2), text(5), text(3)],
        "positives": [text(longest), text(7), text(4)],
        "negatives": [text(6), text(longest // 2)],
    }
    return batch


def main():
    for name, (kind, fields, longest, padding) in families.CASES.items():
        folder = families.FAMILIES / name
        model = families.open_model(folder, torch.float64)
        # The first batch that is clearly away from every kink.
        for seed in range(1, 200):
            batch = batch_of(min(longest, 16), seed)
            loss, parts, margin = step(model, batch, padding)
            if margin > 2e-4:
                break
        model.zero_grad(set_to_none=True)
        loss.backward()
        names = {}
        for key, parameter in model.named_parameters(remove_duplicate=False):
            if id(parameter) not in names or "embeddings" in key:
                names[id(parameter)] = (key, parameter)
        gradients = {key: torch.zeros_like(p) if p.grad is None else p.grad for key, p in names.values()}
        if kind in ("new", "gte"):
            renamed = families.published_names(gradients, fields["num_hidden_layers"])
            gradients = {key.replace("new.", f"{kind}.", 1) if key.startswith("new.") else key: g for key, g in renamed.items()}
        golden = {
            "settings": SETTINGS,
            "batch": batch,
            **{key: value.item() for key, value in parts.items()},
            "margin": margin,
            "transformers": transformers.__version__,
        }
        (folder / "step.json").write_text(json.dumps(golden) + "\n")
        save_file({key: value.float().contiguous() for key, value in gradients.items()}, folder / "step.safetensors")
        print(f"{name}: loss {loss.item():.6f}, {len(gradients)} gradients, margin {margin:.1e}, seed {seed}")


if __name__ == "__main__":
    main()
