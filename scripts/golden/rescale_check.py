"""Whether rescaled models give (Wh + b - c)/k, and so on, in the libraries that open them: by hand, not in the tests.

    node scripts/build.mjs
    python scripts/golden/rescale_check.py prepare WORK     writes models of every family, and each rescaled by every arm and route
    python scripts/golden/rescale_check.py check WORK       opens them with the libraries of this Python and prints a table

`prepare` needs tokenizers; `check` needs torch, transformers (4.56 or 5.x) and sentence-transformers (5.0 or 6.x): run it in
one environment for each. The models are those of test/fixtures/goldens/families and test/fixtures/tiny-model, with a small
tokenizer of their own. The logits that are expected come from the source model in float64, put through the arm's formula;
for arm A from the source model with its input embeddings divided.

Columns of the table: the largest |difference| of token logits (transformers) and of vectors (sentence-transformers),
divided by the largest |expected|. "refused" where the library does not open the source model itself. Everything is opened
in float32: models whose source is in bfloat16 stay so where k is a power of two, and would else be run in it.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ROOT / "test" / "fixtures" / "goldens" / "families"
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


def folder_of(work, case, way=None):
    if way is None:
        return work / case
    arm, route, *_ = way
    return work / f"{case}-{arm}-{route or 'shared'}"


def write_tokenizer(folder, size):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [f"w{i}" for i in range(size - len(special))]
    vocabulary = {token: i for i, token in enumerate(special + words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
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
    work.mkdir(parents=True, exist_ok=True)
    for case, source in CASES.items():
        folder = folder_of(work, case)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in ("config.json", "model.safetensors"):
            shutil.copy(source / name, folder / name)
        write_tokenizer(folder, json.loads((folder / "config.json").read_text())["vocab_size"])
        for way in WAYS:
            arm, route, factor, shift = way
            options = ["--arm", arm, "--factor", str(factor), *(["--shift", str(shift)] if shift else [])]
            options += ["--route", route] if route else []
            out = folder_of(work, case, way)
            command = [*LEXRAY, "rescale", str(folder), "-o", str(out), "--force", "--quiet", *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"prepared {case}")


def texts(size):
    words = [f"w{i}" for i in range(size - 5)]
    return [" ".join(words[(i * step + i) % len(words)] for i in range(length)) for step, length in ((1, 3), (3, 9), (5, 18))]


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


def measure(work, case):
    import torch
    import transformers
    from sentence_transformers import SparseEncoder
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    # transformers 4 knows the element type as torch_dtype, 5 as dtype.
    type_name = "torch_dtype" if transformers.__version__.startswith("4") else "dtype"
    options = {"attn_implementation": "eager"}
    source = folder_of(work, case)
    try:
        model = AutoModelForMaskedLM.from_pretrained(source, **{type_name: torch.float64}, **options).eval()
    except (ValueError, KeyError) as error:
        return [(way, str(error).splitlines()[0][:40], None) for way in WAYS]
    tokenizer = AutoTokenizer.from_pretrained(source)
    sentences = texts(model.config.vocab_size)
    # One text at a time: ModernBERT gives NaN where a padded token sees nothing but padding.
    batches = [tokenizer(sentence, return_tensors="pt") for sentence in sentences]
    rows = []
    for way in WAYS:
        folder = folder_of(work, case, way)
        z = [expected_logits(model, batch, way)[0] for batch in batches]
        corrected, info = AutoModelForMaskedLM.from_pretrained(
            folder, output_loading_info=True, **{type_name: torch.float32}, **options
        )
        lost = [key for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[key]]
        if lost:
            print(f"{case} {way}: {[(key, sorted(info[key])) for key in lost]}")
        corrected.eval()
        with torch.no_grad():
            found = [corrected(**batch).logits[0].double() for batch in batches]
        logits = relative_difference(torch.cat(found), torch.cat(z))
        vectors = torch.log1p(torch.relu(torch.stack([x.max(dim=0).values for x in z])))
        encoder = SparseEncoder(str(folder), device="cpu", model_kwargs={**options, type_name: torch.float32})
        given = encoder.encode(sentences, batch_size=1, convert_to_sparse_tensor=False).double()
        splade = relative_difference(given, vectors)
        rows.append((way, logits, splade))
    return rows


def check(work):
    import sentence_transformers
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    library = f"transformers {transformers.__version__}, sentence-transformers {sentence_transformers.__version__}"
    print(f"{library}, torch {torch.__version__}\n")
    print(f"| {'family':26} | arm | route  | {'k':>4} | {'c':>5} | logits   | vectors  |")
    print(f"|{'-' * 28}|-----|--------|-----:|------:|---------:|---------:|")
    worst = 0.0
    for case in CASES:
        for (arm, route, k, c), logits, vectors in measure(work, case):
            if vectors is None:
                figures = "refused  |         "
            else:
                worst = max(worst, logits, vectors)
                figures = f"{logits:.1e}  | {vectors:.1e} "
            print(f"| {case:26} | {arm}   | {route or 'shared':6} | {k:>4g} | {c:>5g} | {figures} |")
    print(f"\nlargest: {worst:.1e} (allowed: {TOLERANCE:.0e})")
    sys.exit(1 if worst > TOLERANCE else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["prepare", "check"])
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    {"prepare": prepare, "check": check}[arguments.command](arguments.work)
