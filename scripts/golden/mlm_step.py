"""Goldens for one step of masked language modelling, by PyTorch and transformers.

    python scripts/golden/mlm_step.py        (versions: requirements.txt beside this file)

writes test/fixtures/goldens/mlm-step/: golden.json with one entry a case, and CASE.safetensors with its gradients. Models are
those of splade_step.py (`model`, 7,000 parameters); token ids are given, no tokenizer is needed; no dropout.

    tied, untied   BertForMaskedLM with `labels`: transformers' own loss, the mean cross-entropy at the masked positions
    expanded       the same body with a decoder of its own: 131 unigrams, more than the 80 pieces of the input; labels are
                   rows of that decoder. Its weights are `decoder.weight` and `decoder.bias` of expanded-decoder.safetensors

Everything is computed in float64 from the float32 weights and rounded once to float32; `float32Error` beside each gradient is
what PyTorch's own float32 run differs from it. Full logits of all positions are computed here on purpose: the plainest way.
"""

import random

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

import splade
from splade_step import GOLDENS, compact_json, is_zero, relative, save, versions

FOLDER = GOLDENS / "mlm-step"
TERMS = 131


def random_batch(seed, vocabulary, terms):
    """Eight sequences of 4 to 20 tokens, about a third of them masked (4 is [MASK]), labels below `terms`."""
    generator = random.Random(seed)
    batch = []
    for _ in range(8):
        length = generator.randint(2, 18)
        ids = [2, *(generator.randrange(5, vocabulary) for _ in range(length)), 3]
        positions = sorted(generator.sample(range(1, length + 1), max(1, length // 3)))
        labels = [generator.randrange(terms) for _ in positions]
        for position in positions:
            if generator.random() < 0.8:
                ids[position] = 4
        batch.append({"ids": ids, "positions": positions, "labels": labels})
    return batch


def logits_of(model, ids, mask, decoder):
    if decoder is None:
        return model(input_ids=ids, attention_mask=mask).logits
    hidden = model.cls.predictions.transform(model.bert(input_ids=ids, attention_mask=mask).last_hidden_state)
    return F.linear(hidden, decoder["decoder.weight"], decoder["decoder.bias"])


def label_some_right(folder, batch, decoder):
    """Makes what the model predicts the label of every third masked position: random labels are hardly ever right."""
    model = splade.open_model(folder, torch.float64)
    decoder = decoder and {name: weight.double() for name, weight in decoder.items()}
    with torch.no_grad():
        best = logits_of(model, *splade.pad([row["ids"] for row in batch]), decoder).argmax(-1)
    places = [(row, i) for row, sequence in enumerate(batch) for i in range(len(sequence["positions"]))]
    for row, i in places[::3]:
        batch[row]["labels"][i] = best[row, batch[row]["positions"][i]].item()


def loss_of(model, batch, decoder):
    """Mean cross-entropy at the masked positions, and how many of them are predicted."""
    ids, mask = splade.pad([row["ids"] for row in batch])
    labels = torch.full_like(ids, -100)
    for row, sequence in enumerate(batch):
        labels[row, sequence["positions"]] = torch.tensor(sequence["labels"])
    if decoder is None:
        output = model(input_ids=ids, attention_mask=mask, labels=labels)
        logits, loss = output.logits, output.loss
    else:
        logits = logits_of(model, ids, mask, decoder)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    masked = labels != -100
    correct = (logits.argmax(-1) == labels)[masked].sum().item()
    best = logits[masked].topk(2, dim=-1).values
    return loss, correct, (best[:, 0] - best[:, 1]).min().item()


def gradients_of(folder, batch, decoder, dtype):
    model = splade.open_model(folder, dtype)
    parameters = splade.unique_parameters(model)
    if decoder is not None:
        decoder = {name: weight.to(dtype).requires_grad_() for name, weight in decoder.items()}
        parameters = {**parameters, **decoder}
    loss, correct, gap = loss_of(model, batch, decoder)
    loss.backward()
    gradients = {name: p.grad.detach() for name, p in parameters.items() if p.grad is not None}
    return loss.item(), correct, gap, gradients


def golden(name, model, seed, decoder=None):
    terms = 80 if decoder is None else TERMS
    batch = random_batch(seed, 80, terms)
    folder = GOLDENS / model / "model"
    label_some_right(folder, batch, decoder)
    loss, correct, gap, gradients = gradients_of(folder, batch, decoder, torch.float64)
    loss32, _, _, gradients32 = gradients_of(folder, batch, decoder, torch.float32)
    assert gap > 1e-3, gap
    save({key: value.to(torch.float32).contiguous() for key, value in gradients.items()}, FOLDER / f"{name}.safetensors")
    print(f"{name}: loss {loss:.9f} (float32 {loss32:.7f}), {correct} predicted, smallest gap {gap:.1e}")
    described = {
        key: {
            "norm": gradient.norm().item(),
            "float32Error": relative(gradients32[key], gradient),
            **({"zero": True} if is_zero(gradient, gradients) else {}),
        }
        for key, gradient in gradients.items()
    }
    return {
        "model": f"{model}/model",
        "batch": batch,
        "expected": {"loss": loss, "float32Loss": loss32, "correct": correct},
        "gradients": described,
    }


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(11)
    width = splade.open_model(GOLDENS / "splade-step-tied" / "model", torch.float32).config.hidden_size
    decoder = {
        "decoder.weight": torch.randn(TERMS, width, generator=generator) * 0.5,
        "decoder.bias": torch.randn(TERMS, generator=generator) * 0.3,
    }
    save(decoder, FOLDER / "expanded-decoder.safetensors")
    cases = {
        "tied": golden("tied", "splade-step-tied", 1),
        "untied": golden("untied", "splade-step-untied", 2),
        "expanded": golden("expanded", "splade-step-tied", 3, load_file(FOLDER / "expanded-decoder.safetensors")),
    }
    (FOLDER / "golden.json").write_text(compact_json({"versions": versions(), "cases": cases}) + "\n")
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir()) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
