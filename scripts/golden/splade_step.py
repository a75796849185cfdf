"""Goldens for one SPLADE training step and for five AdamW steps, by PyTorch and transformers.

    python scripts/golden/splade_step.py all [--shared ../shared]        (versions: requirements.txt beside this file)

writes folders under test/fixtures/goldens/:

    splade-step-tied, splade-step-untied   a random model of 7,000 parameters, in the folder itself under model/
    splade-step-tiny                       weights: SHARED/goldens/hf_tiny, not copied
    splade-step-checkpoint                 weights: SHARED/data/ckpt-splade-tiny, texts: SHARED/data/esci-titles

Everything is computed in float64 from the float32 weights and rounded once to float32, so the golden's own error is 6e-8;
`float32Error` beside each tensor is what PyTorch's own float32 run differs from it, the yardstick for a tolerance.
Token ids are given, no tokenizer is needed; no dropout; the loss is that of splade.py, held against sentence-transformers'
SpladeLoss while this script runs.

golden.json
    model, versions, settings      temperature, queryRegularizerWeight, documentRegularizerWeight
    batch                          queries, positives, negatives: lists of token ids; texts where they had any
    expected                       loss, baseLoss, queryFlops, documentFlops, scores [queries][positives then negatives]
    margins                        smallestLogit, smallestGap, largestLogit: distance to the kinks of relu and max (splade.py)
    gradients                      name -> { norm, float32Error, zero?: true, file?: ..., rows?: ..., projections?: ... }
    training                       see below; absent in splade-step-checkpoint
outputs.safetensors                queryLogits, queryVectors, documentLogits, documentVectors: [B, V], logits max-pooled
gradients.safetensors              one tensor a parameter, transformers' names, a tied tensor once (as the word embeddings),
                                   an untied decoder's bias as cls.predictions.bias
trained.safetensors                every parameter after the last training step

`zero: true` marks a gradient that is 0 but for rounding (the keys' bias: softmax ignores it); compare it absolutely.

training: optimizer { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm }; decay is on tensors of two dimensions
only; steps[]: batch, learningRate (warm-up over 2 steps, then linear to 0 at step 10; step s of 0, 1, ... has the factor
min(s / 2, (10 - s) / 8), so the first is 0), loss and its parts before the update, gradNorm before clipping;
float32Error: relative L2 of (final - initial) a tensor, in PyTorch's float32 run. Entries whose gradient is almost 0 are
blown up by Adam's division in any implementation: the keys' bias is not comparable at all (`zero`).

A gradient of 16,384 entries or more in splade-step-checkpoint is not stored but projected:
    projections[j] = sum_i s_j(i) * g_i   for j = 0 ... 63 and row-major flat index i, in float64,
    s_j(i) = bit (j mod 32) of mix(2 i + floor(j / 32)) ? -1 : 1,   mix = murmur3's 32-bit finalizer (see `mix`).
For a candidate h the mean over j of (projections_j(h) - projections[j])^2 is an unbiased estimate of |h - g|^2, its root good
to about 9 %; so it bounds the relative L2 error as the tensor itself would. `rows` lists rows kept in full: of the word and
position embeddings the 64 of the largest norm (tensor NAME.rows), with `nonZeroRows`, the number of rows that are not all 0.
"""

import argparse
import json
import math
import random
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM

import splade

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "test" / "fixtures" / "goldens"
SETTINGS = {"temperature": 1.0, "queryRegularizerWeight": 0.05, "documentRegularizerWeight": 0.003}
OPTIMIZER = {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weightDecay": 0.01}
MAX_GRAD_NORM = 1.0  # 2.5 on hf_tiny, whose norms are about that: some steps are clipped and some are not
WARMUP, TOTAL, STEPS = 2, 10, 5
PROJECTED_FROM, KEPT_ROWS, PROJECTIONS = 16_384, 64, 64


def versions():
    import sentence_transformers
    import transformers

    return {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "sentence-transformers": sentence_transformers.__version__,
    }


def learning_rate(step):
    return OPTIMIZER["learningRate"] * min(step / WARMUP, (TOTAL - step) / (TOTAL - WARMUP))


def gradients_of(model, batch):
    """The loss parts and the gradient of every parameter (zeros where the loss does not depend on it)."""
    parameters = splade.unique_parameters(model)
    model.zero_grad(set_to_none=True)
    parts = splade.splade_loss(model, batch, SETTINGS)
    parts["loss"].backward()
    gradients = {n: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone() for n, p in parameters.items()}
    return {name: part.detach() for name, part in parts.items()}, gradients


def relative(actual, expected):
    """Relative L2 error, absolute where the expected tensor is 0."""
    error = (actual.double() - expected.double()).norm().item()
    scale = expected.double().norm().item()
    return error / scale if scale > 0 else error


def is_zero(gradient, gradients):
    total = math.sqrt(sum(g.double().square().sum().item() for g in gradients.values()))
    return gradient.double().norm().item() < 1e-12 * total


def train(folder, dtype, next_batch, max_grad_norm):
    """Five steps of AdamW with clipping; the losses before each update, and the final weights."""
    model = splade.open_model(folder, dtype)
    parameters = splade.unique_parameters(model)
    matrices = [p for p in parameters.values() if p.dim() >= 2]
    vectors = [p for p in parameters.values() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": OPTIMIZER["weightDecay"]}, {"params": vectors, "weight_decay": 0.0}],
        lr=OPTIMIZER["learningRate"],
        betas=(OPTIMIZER["beta1"], OPTIMIZER["beta2"]),
        eps=OPTIMIZER["epsilon"],
    )
    steps = []
    for index in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(index)
        batch = next_batch(model, index)
        margins = splade.margins(model, batch)
        parts, _ = gradients_of(model, batch)
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), max_grad_norm)
        optimizer.step()
        steps.append(
            {
                "batch": batch,
                "learningRate": learning_rate(index),
                "loss": parts["loss"].item(),
                "baseLoss": parts["baseLoss"].item(),
                "queryFlops": parts["queryFlops"].item(),
                "documentFlops": parts["documentFlops"].item(),
                "gradNorm": norm.item(),
                "margins": margins,
            }
        )
    return steps, {name: p.detach().clone() for name, p in parameters.items()}


def training_golden(folder, next_batch, max_grad_norm, zeros):
    steps, trained = train(folder, torch.float64, next_batch, max_grad_norm)
    steps32, trained32 = train(folder, torch.float32, lambda model, index: steps[index]["batch"], max_grad_norm)
    initial = splade.unique_parameters(splade.open_model(folder, torch.float64))
    moved = {name: trained[name] - initial[name].detach() for name in trained}
    errors = {name: relative(trained32[name].double() - initial[name].detach(), moved[name]) for name in trained}
    golden = {
        "optimizer": {**OPTIMIZER, "maxGradNorm": max_grad_norm},
        "steps": steps,
        "float32Loss": [step["loss"] for step in steps32],
        "parameters": {
            name: {"moved": moved[name].norm().item(), "float32Error": errors[name], **({"zero": True} if name in zeros else {})}
            for name in trained
        },
    }
    return golden, trained


def mix(x):
    """murmur3's 32-bit finalizer, on uint32."""
    x = x.astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def project(gradient):
    """64 dot products with seeded vectors of +1 and -1."""
    values = gradient.double().numpy().ravel()
    used = np.flatnonzero(values)
    projections = []
    for word in range(PROJECTIONS // 32):
        hashed = mix(used.astype(np.uint64) * 2 + word)
        for bit in range(32):
            sign = 1.0 - 2.0 * ((hashed >> np.uint32(bit)) & np.uint32(1)).astype(np.float64)
            projections.append(float(sign @ values[used]))
    return projections


def step_golden(folder, batch, compress):
    """The JSON part of a golden, its gradients as tensors, and its outputs as tensors."""
    model = splade.open_model(folder, torch.float64)
    margins = splade.margins(model, batch)
    parts, gradients = gradients_of(model, batch)
    model32 = splade.open_model(folder, torch.float32)
    parts32, gradients32 = gradients_of(model32, batch)
    check = splade.check_against_sentence_transformers(model, batch, SETTINGS, gradients, 1e-9)
    check32 = splade.check_against_sentence_transformers(model32, batch, SETTINGS, gradients, 1e-3)
    print(f"  loss {parts['loss']:.9f}, sentence-transformers {check['loss']:.9f} (float32 {check32['loss']:.7f})")
    print(f"  worst relative gradient error: sentence-transformers {check['worstRelativeError']:.1e}, its float32 {check32['worstRelativeError']:.1e}")

    tensors, described = {}, {}
    for name, gradient in gradients.items():
        entry = {"norm": gradient.norm().item(), "float32Error": relative(gradients32[name], gradient)}
        if is_zero(gradient, gradients):
            entry["zero"] = True
            entry["float32Error"] = gradients32[name].double().norm().item()
        if compress and gradient.numel() >= PROJECTED_FROM:
            entry["projections"] = project(gradient)
            if "embeddings" in name:
                norms = gradient.norm(dim=1)
                rows = norms.topk(KEPT_ROWS).indices.sort().values
                entry["nonZeroRows"] = int((norms > 0).sum())
                entry["rows"] = rows.tolist()
                tensors[f"{name}.rows"] = gradient[rows]
        else:
            tensors[name] = gradient
        described[name] = entry
    golden = {
        "versions": versions(),
        "settings": SETTINGS,
        "batch": batch,
        "expected": {
            "loss": parts["loss"].item(),
            "baseLoss": parts["baseLoss"].item(),
            "queryFlops": parts["queryFlops"].item(),
            "documentFlops": parts["documentFlops"].item(),
            "scores": parts["scores"].tolist(),
            "float32Loss": parts32["loss"].item(),
        },
        "margins": margins,
        "gradients": described,
    }
    outputs = {name: parts[name] for name in ("queryLogits", "queryVectors", "documentLogits", "documentVectors")}
    return golden, tensors, outputs


def save(tensors, path):
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)


def write(name, golden, **files):
    folder = GOLDENS / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "golden.json").write_text(compact_json(golden) + "\n")
    for file, tensors in files.items():
        rounded = {key: value.to(torch.float32).contiguous() for key, value in tensors.items()}
        save(rounded, folder / f"{file}.safetensors")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"  {name}: {size / 1024:.0f} KiB")


def compact_json(value, depth=0):
    """JSON with one line for each list of numbers, so that a change can be read."""
    indent = "  " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{indent}{json.dumps(key)}: {compact_json(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + "  " * depth + "}"
    if isinstance(value, list) and value and isinstance(value[0], (list, dict)):
        return "[\n" + ",\n".join(indent + compact_json(item, depth + 1) for item in value) + "\n" + "  " * depth + "]"
    return json.dumps(value, ensure_ascii=False)


def random_batch(generator, vocabulary, count, first_id):
    """Texts of 3 to 20 tokens, [CLS] and [SEP] among them."""
    def text():
        return [2, *(generator.randrange(first_id, vocabulary) for _ in range(generator.randint(1, 18))), 3]

    return {column: [text() for _ in range(count)] for column in ("queries", "positives", "negatives")}


def far_from_kinks(model, vocabulary, count, first_id, first_seed=0):
    """The first batch that keeps every decision of relu and max well above f32 noise (1e-7 of the largest logit)."""
    for seed in range(first_seed, first_seed + 3000):
        batch = random_batch(random.Random(seed), vocabulary, count, first_id)
        margins = splade.margins(model, batch)
        if min(margins["smallestLogit"], margins["smallestGap"]) > 3e-5 * margins["largestLogit"]:
            return batch
    raise SystemExit("no batch keeps its distance from the kinks")


def small_golden(name, folder, described, vocabulary, first_id, max_grad_norm=MAX_GRAD_NORM):
    print(name)
    batch = far_from_kinks(splade.open_model(folder, torch.float64), vocabulary, 4, first_id)
    golden, gradients, outputs = step_golden(folder, batch, compress=False)
    zeros = {key for key, entry in golden["gradients"].items() if entry.get("zero")}

    def next_batch(model, index):
        return far_from_kinks(model, vocabulary, 4, first_id, 10_000 * index)

    training, trained = training_golden(folder, next_batch, max_grad_norm, zeros)
    comparable = [entry["float32Error"] for entry in training["parameters"].values() if not entry.get("zero")]
    print(f"  training losses {[round(step['loss'], 5) for step in training['steps']]}, norms {[round(step['gradNorm'], 3) for step in training['steps']]}")
    print(f"  float32 against float64 after training: worst {max(comparable):.1e}")
    write(name, {"model": described, **golden, "training": training}, gradients=gradients, outputs=outputs, trained=trained)


def random_model(name, tied):
    """A model of two layers of 16, every kind of parameter away from its usual 0 or 1."""
    torch.manual_seed(7 if tied else 8)
    config = BertConfig(
        vocab_size=80,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        tie_word_embeddings=tied,
    )
    model = BertForMaskedLM(config)
    parameters = splade.unique_parameters(model)
    with torch.no_grad():
        for key, parameter in parameters.items():
            if parameter.dim() == 2:
                parameter.normal_(0, 0.4 if "embeddings" in key or "decoder" in key else 0.3)
            elif key.endswith("LayerNorm.weight"):
                parameter.normal_(1, 0.1)
            else:
                parameter.normal_(0, 0.1)
        model.cls.predictions.bias.sub_(0.5)
    folder = GOLDENS / name / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config.architectures = ["BertForMaskedLM"]
    config.save_pretrained(folder)
    tensors = {key: value.detach().clone() for key, value in parameters.items()}
    if not tied:
        tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
    save(tensors, folder / "model.safetensors")
    reopened = splade.unique_parameters(splade.open_model(folder, torch.float32))
    assert reopened.keys() == parameters.keys() and all(torch.equal(reopened[key], parameters[key]) for key in parameters)
    return folder


def checkpoint_golden(shared):
    """Real weights and real texts: eight queries of esci-titles, a relevant title and an irrelevant one for each."""
    from tokenizers import Tokenizer

    print("splade-step-checkpoint")
    folder, data = shared / "data" / "ckpt-splade-tiny", shared / "data" / "esci-titles"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    titles = {row["_id"]: row["title"] for row in map(json.loads, (data / "corpus.jsonl").open(encoding="utf-8"))}
    queries = {row["_id"]: row["text"] for row in map(json.loads, (data / "queries.jsonl").open(encoding="utf-8"))}
    grades = {}
    for line in (data / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        qid, docid, grade = line.split("\t")
        grades.setdefault(qid, {})[docid] = int(grade)
    texts = {"queries": [], "positives": [], "negatives": []}
    seen = set()
    for qid in sorted(grades):
        best, worst = (pick(grades[qid].items(), key=lambda item: item[1]) for pick in (max, min))
        pair = {titles[best[0]], titles[worst[0]]}
        if best[1] == 3 and worst[1] == 0 and len(pair - seen) == 2 and len(texts["queries"]) < 8:
            seen |= pair
            texts["queries"].append(queries[qid])
            texts["positives"].append(titles[best[0]])
            texts["negatives"].append(titles[worst[0]])
    batch = {column: [tokenizer.encode(text).ids for text in rows] for column, rows in texts.items()}
    golden, gradients, outputs = step_golden(folder, batch, compress=True)
    sparse = {}
    for side in ("query", "document"):
        vectors = outputs[f"{side}Vectors"].to(torch.float32)
        golden["expected"][f"{side}Vectors"] = [
            {"indices": row.nonzero().ravel().tolist(), "values": [round(float(v), 7) for v in row[row > 0]]} for row in vectors
        ]
        sparse[f"{side}ActiveDims"] = float((vectors > 0).sum(1).double().mean())
    print(f"  {sparse}")
    golden["batch"]["texts"] = texts
    write("splade-step-checkpoint", {"model": "SHARED/data/ckpt-splade-tiny", **golden}, gradients=gradients)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["all", "random", "tiny", "checkpoint"], nargs="?", default="all")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder with goldens/ and data/")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if options.what in ("all", "random"):
        for name, tied in (("splade-step-tied", True), ("splade-step-untied", False)):
            small_golden(name, random_model(name, tied), "model", 80, 5)
    if options.what in ("all", "tiny"):
        small_golden("splade-step-tiny", options.shared / "goldens" / "hf_tiny", "SHARED/goldens/hf_tiny", 55, 5, max_grad_norm=2.5)
    if options.what in ("all", "checkpoint"):
        checkpoint_golden(options.shared)


if __name__ == "__main__":
    main()
