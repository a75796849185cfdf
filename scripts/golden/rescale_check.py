"""Whether rescaled models give (Wh + b - c)/k, and so on, in the libraries that open them: by hand, not in the tests.

    node scripts/build.mjs
    python scripts/golden/rescale_check.py prepare WORK     writes models of every family, each rescaled by every arm and route,
                                                            and what they must give
    python scripts/golden/rescale_check.py check WORK       opens them with the transformers and sentence-transformers of this Python
    node scripts/golden/rescale_check.mjs lexray WORK       opens them with Lexray, and exports each as ONNX
    node scripts/golden/rescale_check.mjs transformers.js WORK MODULES     opens the exported ones; MODULES/node_modules has
                                                            @huggingface/transformers (npm install --ignore-scripts)
    python scripts/golden/rescale_check.py table WORK       prints what was found; exit code 1 above the tolerance

    python scripts/golden/rescale_check.py golden           writes the golden of arm A for test/golden/rescale.test.ts

`prepare` needs tokenizers, torch and transformers 5 (version 4 does not know GTE); `check` is run once in each environment:
transformers 4.56 with sentence-transformers 5.0, transformers 5.x with 6.x. The models are those of test/fixtures/goldens/families
and test/fixtures/tiny-model, with a small tokenizer of their own, and a trained one where the folder `shared` is. What is
expected comes from the source model in float64, put through the arm's formula; for arm A from the source model with its
input embeddings divided.

A figure is the largest |difference| of token logits, or of SPLADE vectors, divided by the largest |expected logit|, or
weight. "refused" where a library does not open the source model itself. Everything is opened in float32.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ROOT / "test" / "fixtures" / "goldens" / "families"
TRAINED = ROOT.parent / "shared" / "data" / "ckpt-splade-tiny"
LEXRAY = ["node", str(ROOT / "dist" / "cli" / "main.js")]
CASES = {
    "bert": ROOT / "test" / "fixtures" / "tiny-model",
    **{
        name: FAMILIES / name
        for name in (
            "distilbert",
            "distilbert-untied",
            "roberta",
            "roberta-untied",
            "xlm-roberta",
            "albert",
            "albert-untied",
            "modernbert",
            "modernbert-biases",
            "modernbert-no-decoder-bias",
            "gte",
        )
    },
    **({"bert-trained": TRAINED} if TRAINED.exists() else {}),
}
WAYS = [
    ("A", None, 4.0, 0.0),
    ("B", "norm", 4.0, 0.0),
    ("B", "untied", 4.0, 0.0),
    ("C", "norm", 16.0, 0.0),
    ("C", "untied", 3.0, 0.0),
    ("D", "norm", 3.0, 0.25),
    ("D", "untied", 0.5, -0.25),
    ("E", "untied", 7.0, 0.0),
]
TOLERANCE = 1e-5



def key_of(case, way):
    arm, route, *_ = way
    return f"{case}-{arm}-{route or 'shared'}"


def write_tokenizer(folder, size):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [f"w{i}" for i in range(size - len(special))]
    vocabulary = {token: i for i, token in enumerate(special + words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 24,
        "model_input_names": ["input_ids", "attention_mask"],
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def prepare(work):
    import torch

    torch.set_num_threads(1)
    for name in ("sources", "rescaled", "expected"):
        shutil.rmtree(work / name, ignore_errors=True)
        (work / name).mkdir(parents=True)
    rows = []
    for case, source in CASES.items():
        folder = work / "sources" / case
        folder.mkdir()
        for name in ("config.json", "model.safetensors"):
            shutil.copy(source / name, folder / name)
        write_tokenizer(folder, json.loads((folder / "config.json").read_text())["vocab_size"])
        for way in WAYS:
            arm, route, factor, shift = way
            options = ["--arm", arm, "--factor", str(factor), *(["--shift", str(shift)] if shift else [])]
            options += ["--route", route] if route else []
            out = work / "rescaled" / key_of(case, way)
            command = [*LEXRAY, "rescale", str(folder), "-o", str(out), "--quiet", *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows += expect(work, case)
        print(f"prepared {case}", flush=True)
    (work / "rows.json").write_text(json.dumps(rows))


def texts(size):
    words = [f"w{i}" for i in range(size - 5)]
    return [" ".join(words[(i * step + i) % len(words)] for i in range(length)) for step, length in ((1, 3), (3, 9), (5, 18))]


def type_option():
    """transformers 4 knows the element type as torch_dtype, 5 as dtype."""
    import transformers

    return "torch_dtype" if transformers.__version__.startswith("4") else "dtype"


def expect(work, case):
    """Writes the expected logits [tokens, V] and vectors [texts, V] of all models of a case, float64."""
    import numpy as np
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    source = work / "sources" / case
    model = AutoModelForMaskedLM.from_pretrained(
        source, **{type_option(): torch.float64}, attn_implementation="eager"
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(source)
    sentences = texts(model.config.vocab_size)
    # One text at a time: ModernBERT gives NaN where a padded token sees nothing but padding.
    batches = [tokenizer(sentence, return_tensors="pt") for sentence in sentences]
    rows = []
    for way in WAYS:
        z = [expected_logits(model, batch, way)[0] for batch in batches]
        key = key_of(case, way)
        torch.cat(z).numpy().astype(np.float64).tofile(work / "expected" / f"{key}.logits")
        vectors = torch.log1p(torch.relu(torch.stack([x.max(dim=0).values for x in z])))
        vectors.numpy().astype(np.float64).tofile(work / "expected" / f"{key}.vectors")
        arm, route, k, c = way
        sequences = [batch["input_ids"][0].tolist() for batch in batches]
        row = {"key": key, "case": case, "arm": arm, "route": route or "shared", "k": k, "c": c}
        rows.append({**row, "texts": sentences, "sequences": sequences, "vocabulary": model.config.vocab_size})
    return rows


def head_of(model):
    import torch

    weight = model.get_output_embeddings().weight.detach()
    bias = model.get_output_embeddings().bias
    zero = torch.zeros(weight.shape[0], dtype=weight.dtype)
    return weight, zero if bias is None else bias.detach()


def expected_logits(model, batch, way):
    """Logits [B, L, V] that the corrected model must give, in float64."""
    import torch

    arm, _, k, c = way
    weight, bias = head_of(model)
    with torch.no_grad():
        if arm == "A":
            tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
            matrix = (model.get_input_embeddings() if tied else model.get_output_embeddings()).weight
            matrix /= k
            z = model(**batch).logits
            matrix *= k
            return z
        z = model(**batch).logits
        if arm == "B":
            return (z - bias) / k + bias
        if arm == "E":
            norms = weight.norm(dim=1)
            mean = norms[norms > 0].mean()
            return z / torch.where(norms > 0, k * norms / mean, torch.full_like(norms, k))
        return (z - c) / k


def relative_difference(found, expected):
    """Largest difference in units of the largest number; infinite where something is NaN."""
    difference = (found - expected).abs().max().item() / max(expected.abs().max().item(), 1e-30)
    return difference if difference == difference else float("inf")


def expected(work, row):
    import numpy as np
    import torch

    shape = (-1, row["vocabulary"])
    return [
        torch.from_numpy(np.fromfile(work / "expected" / f"{row['key']}.{name}", dtype=np.float64).reshape(shape))
        for name in ("logits", "vectors")
    ]


def measure(work, row):
    """Relative differences of logits and vectors; text instead where the model is refused."""
    import torch
    from sentence_transformers import SparseEncoder
    from transformers import AutoModelForMaskedLM

    options = {type_option(): torch.float32}
    attention = {"attn_implementation": "eager"}
    try:
        AutoModelForMaskedLM.from_pretrained(work / "sources" / row["case"], **options, **attention)
    except (ValueError, KeyError) as error:
        return {"refused": str(error).splitlines()[0][:60]}
    logits, vectors = expected(work, row)
    folder = work / "rescaled" / row["key"]
    corrected, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True, **options, **attention)
    lost = [key for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[key]]
    if lost:
        print(f"{row['key']}: {[(key, sorted(info[key])) for key in lost]}")
    corrected.eval()
    with torch.no_grad():
        found = [corrected(input_ids=torch.tensor([ids])).logits[0].double() for ids in row["sequences"]]
    encoder = SparseEncoder(str(folder), device="cpu", model_kwargs={**attention, **options})
    given = encoder.encode(row["texts"], batch_size=1, convert_to_sparse_tensor=False).double()
    return {"logits": relative_difference(torch.cat(found), logits), "vectors": relative_difference(given, vectors)}


def check(work):
    import sentence_transformers
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    rows = json.loads((work / "rows.json").read_text())
    figures = {row["key"]: measure(work, row) for row in rows}
    version = ".".join(transformers.__version__.split(".")[:2])
    short = ".".join(sentence_transformers.__version__.split(".")[:2])
    write_results(work, f"transformers {version}", figures, "logits")
    write_results(work, f"sentence-transformers {short}", figures, "vectors")


def write_results(work, library, figures, name):
    (work / "results").mkdir(exist_ok=True)
    values = {key: value.get(name, "refused") for key, value in figures.items()}
    (work / "results" / f"{library}, {name}.json").write_text(json.dumps(values))


def table(work):
    """Prints a Markdown table: a line for each model, a column for each library."""
    rows = json.loads((work / "rows.json").read_text())
    columns = {path.stem: json.loads(path.read_text()) for path in sorted((work / "results").glob("*.json"))}
    shown = lambda value: "missing" if value is None else value if isinstance(value, str) else f"{value:.1e}"
    print(f"| family | arm | route | k | c | {' | '.join(columns)} |")
    print(f"|---|---|---|---:|---:|{'---|' * len(columns)}")
    worst = dict.fromkeys(columns, 0.0)
    for row in rows:
        values = {name: values.get(row["key"]) for name, values in columns.items()}
        for name, value in values.items():
            worst[name] = max(worst[name], value if isinstance(value, (int, float)) else 0.0 if value == "refused" else float("inf"))
        head = " | ".join(str(row[name]) for name in ("case", "arm", "route"))
        print(f"| {head} | {row['k']:g} | {row['c']:g} | {' | '.join(shown(value) for value in values.values())} |")
    print(f"| **largest** | | | | | {' | '.join(shown(value) for value in worst.values())} |")
    print(f"\n{len(rows)} models, {len(columns)} columns; allowed: {TOLERANCE:.0e}")
    sys.exit(1 if max(worst.values()) > TOLERANCE else 0)


def golden():
    """Logits of all family goldens with the matrix of arm A divided by 4: one that no formula gives where it is shared."""
    import torch
    from families import CASES as GOLDENS
    from families import open_model, token_logits
    from safetensors.torch import save_file

    tensors = {}
    for case in GOLDENS:
        model = open_model(FAMILIES / case, torch.float64)
        described = json.loads((FAMILIES / case / "golden.json").read_text())
        padding = json.loads((FAMILIES / case / "config.json").read_text()).get("pad_token_id")
        with torch.no_grad():
            # The same parameter as the input embeddings where tied.
            model.get_output_embeddings().weight /= 4
        tensors[case] = token_logits(model, described["sequences"], padding).float().contiguous()
        before = described["largest"]
        print(f"{case}: max |z| {before:.3f} -> {tensors[case].abs().max().item():.3f}")
    save_file(tensors, FAMILIES.parent / "rescale-arm-a.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["prepare", "check", "table", "golden"])
    parser.add_argument("work", type=Path, nargs="?")
    arguments = parser.parse_args()
    if arguments.command == "golden":
        golden()
    else:
        {"prepare": prepare, "check": check, "table": table}[arguments.command](arguments.work)
