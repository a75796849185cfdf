"""Goldens for the model families: token logits of masked language models, by transformers.

    python scripts/golden/families.py make [--shared ../shared]     (versions: requirements.txt beside this file)
    python scripts/golden/families.py check [FOLDER...]             (any transformers from 4.56 on)

`make` writes a folder for each case under test/fixtures/goldens/families/:

    config.json, model.safetensors   a small random model, weights rounded to bfloat16, so that they are exact in all types;
                                     absent in mb_tiny, db_tiny, xr_tiny, whose weights are SHARED/goldens/NAME
    golden.json                      sequences: lists of token ids; largest: max |z|; float32Error: of PyTorch's own float32 run
    logits.safetensors               logits [tokens, vocabulary], the tokens of all sequences one after another

Everything is computed in float64 from the float32 weights and rounded once to float32. (transformers computes rotary angles
and, in ModernBERT, the rotation itself in float32 whatever the model's type.) The batch is ragged, padded on the right.

`new` is the type of the published GTE checkpoints, whose code is at the hub. transformers has the same model as `gte` and
renames their weights when it opens them; the golden is computed by it from a file with the published names. Its rotary
frequencies are set here by the formula of the published code (theta * factor, then / factor^(2/d)).

published.json: configs as published checkpoints have them, in the fields that decide on shapes and names, and SHA-256 of the
sorted lines "name size,size" of the parameters that transformers then has, a tied one once, with how many there are.

`check` opens folders (by default those of `make`) and compares with the golden; FOLDER may also be a model that another
program has written from one of the cases, as FOLDER=CASE.
"""

import argparse
import hashlib
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForMaskedLM

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ROOT / "test" / "fixtures" / "goldens" / "families"
VOCABULARY = 32
BASE = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20}
ROBERTA = {**BASE, "max_position_embeddings": 34, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
MODERN = {
    **BASE,
    "num_hidden_layers": 5,
    "intermediate_size": 12,
    "local_attention": 6,
    "global_attn_every_n_layers": 3,
    "global_rope_theta": 160000.0,
    "local_rope_theta": 10000.0,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "cls_token_id": 2,
    "sep_token_id": 3,
}
DISTIL = {"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 20, "max_position_embeddings": 32}
ALBERT = {**BASE, "embedding_size": 10, "max_position_embeddings": 32, "num_hidden_groups": 2, "num_hidden_layers": 5}
GTE = {**BASE, "max_position_embeddings": 32, "pad_token_id": 1}
NEW = {"rope_theta": 20000, "rope_scaling": {"type": "ntk", "factor": 8.0}}

# name: (type, its config, longest sequence, token that counts as padding where it stands in a text)
CASES = {
    "distilbert": ("distilbert", DISTIL, 16, None),
    "distilbert-untied": ("distilbert", {**DISTIL, "tie_word_embeddings": False, "activation": "relu"}, 16, None),
    "roberta": ("roberta", {**ROBERTA, "hidden_act": "relu"}, 32, 1),
    "roberta-untied": ("roberta", {**ROBERTA, "tie_word_embeddings": False}, 16, None),
    "xlm-roberta": ("xlm-roberta", ROBERTA, 16, None),
    "albert": ("albert", ALBERT, 16, None),
    "albert-untied": ("albert", {**ALBERT, "num_hidden_groups": 1, "inner_group_num": 2, "hidden_act": "gelu", "tie_word_embeddings": False}, 16, None),
    "modernbert": ("modernbert", MODERN, 32, None),
    "modernbert-biases": (
        "modernbert",
        {
            **MODERN,
            "num_hidden_layers": 3,
            "global_attn_every_n_layers": 2,
            "local_attention": 9,
            "norm_bias": True,
            "attention_bias": True,
            "mlp_bias": True,
            "classifier_bias": True,
            "classifier_activation": "relu",
            "tie_word_embeddings": False,
        },
        32,
        None,
    ),
    "modernbert-no-decoder-bias": ("modernbert", {**MODERN, "num_hidden_layers": 3, "decoder_bias": False}, 16, None),
    "gte": ("gte", {**GTE, "type_vocab_size": 0, "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0}}, 16, None),
    "new": ("new", {**GTE, **NEW, "type_vocab_size": 1}, 32, None),
}
SHARED = {"mb_tiny": 24, "db_tiny": 20, "xr_tiny": 20}

MODERN_BASE = {
    **{"vocab_size": 50368, "hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12, "intermediate_size": 1152},
    **{"global_attn_every_n_layers": 3, "local_attention": 128, "global_rope_theta": 160000.0, "local_rope_theta": 10000.0},
    **{"max_position_embeddings": 8192, "pad_token_id": 50283, "norm_eps": 1e-5, "norm_bias": False, "decoder_bias": True},
    **{"attention_bias": False, "mlp_bias": False, "classifier_bias": False, "hidden_activation": "gelu"},
}
BASE_SIZE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
ROBERTA_BASE = {**BASE_SIZE, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
PUBLISHED = {
    "bert-base-uncased": ("bert", {**BASE_SIZE, "vocab_size": 30522, "max_position_embeddings": 512, "type_vocab_size": 2}),
    "distilbert-base-uncased": ("distilbert", {"vocab_size": 30522, "max_position_embeddings": 512, "tie_weights_": True}),
    "roberta-base": ("roberta", {**ROBERTA_BASE, "vocab_size": 50265}),
    "xlm-roberta-base": ("xlm-roberta", {**ROBERTA_BASE, "vocab_size": 250002}),
    "camembert-base": ("camembert", {**ROBERTA_BASE, "vocab_size": 32005}),
    "albert-base-v2": ("albert", {**BASE_SIZE, "vocab_size": 30000, "embedding_size": 128, "max_position_embeddings": 512}),
    "ModernBERT-base": ("modernbert", MODERN_BASE),
    "mmBERT-base": ("modernbert", {**MODERN_BASE, "vocab_size": 256000, "pad_token_id": 0, "local_rope_theta": 160000.0}),
}


def published():
    described = {}
    for name, (kind, fields) in PUBLISHED.items():
        with torch.device("meta"):
            model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(kind, **fields))
        tied = {key for pair in model._tied_weights_keys.items() for key in pair[:1]}
        parameters = {key: value for key, value in model.named_parameters(remove_duplicate=False) if key not in tied}
        lines = sorted(f"{key} {','.join(map(str, value.shape))}" for key, value in parameters.items())
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        size = sum(value.numel() for value in parameters.values())
        described[name] = {"config": {"model_type": kind, **fields}, "tensors": len(lines), "parameters": size, "sha256": digest}
        print(f"{name}: {len(lines)} tensors, {size:,} parameters")
    (FAMILIES / "published.json").write_text(json.dumps(described, indent=1) + "\n")


def sequences_of(longest, padding, vocabulary=VOCABULARY, seed=1):
    """Five texts of tokens from 4 on, the longest first; one with a padding token in the middle where that matters."""
    generator = random.Random(seed)
    lengths = [longest, 2, longest // 2, 1, longest // 2 + 3]
    texts = [[generator.randrange(4, vocabulary) for _ in range(length)] for length in lengths]
    if padding is not None:
        texts[4][3] = padding
        texts[4][4] = padding
    return texts


def token_logits(model, texts, padding):
    """Logits [tokens, V] of a batch padded on the right."""
    width = max(len(text) for text in texts)
    ids = torch.tensor([text + [padding or 0] * (width - len(text)) for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask).logits
    return torch.cat([logits[i, : len(text)] for i, text in enumerate(texts)])


def randomize(model):
    """Every parameter away from its usual 0 or 1, and exact in bfloat16."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(0, 0.4 if "embed" in name or "decoder" in name or "projector" in name else 0.3)
            elif name.endswith("weight"):
                parameter.normal_(1, 0.1)
            else:
                parameter.normal_(0, 0.1)
            parameter.copy_(parameter.to(torch.bfloat16).to(parameter.dtype))
        parameters = dict(model.named_parameters())
        for bias, copy in (("lm_head.bias", "lm_head.decoder.bias"), ("predictions.bias", "predictions.decoder.bias")):
            if bias in parameters and copy in parameters:
                parameters[copy].copy_(parameters[bias])


def open_model(folder, dtype):
    """A folder in transformers; a `new` one as `gte`, with the published rotary frequencies."""
    config = json.loads((folder / "config.json").read_text())
    if config["model_type"] != "new":
        model = AutoModelForMaskedLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa")
        return model.eval()
    from transformers import GteConfig, GteForMaskedLM

    fields = {key: value for key, value in config.items() if key not in ("model_type", *NEW)}
    model = GteForMaskedLM.from_pretrained(folder, config=GteConfig(**fields), dtype=dtype, attn_implementation="sdpa")
    size = config["hidden_size"] // config["num_attention_heads"]
    factor = config["rope_scaling"]["factor"]
    base = config["rope_theta"] * factor
    frequencies = 1.0 / (base ** (torch.arange(0, size, 2).float() / size)) / factor ** (2 / size)
    model.gte.rotary_emb.inv_freq.copy_(frequencies)
    return model.eval()


def published_names(tensors, layers):
    """The weights of a GteForMaskedLM under the names of the published checkpoints, packed as they are."""
    renamed = {}
    for name, value in tensors.items():
        name = name.replace("gte.", "new.", 1).replace("lm_head.layer_norm", "lm_head.norm")
        name = name.replace("new.layers.", "new.encoder.layer.").replace("self_attn.", "attention.")
        renamed[name.replace("post_attention_layernorm", "attn_ln").replace("post_mlp_layernorm", "mlp_ln")] = value
    for i in range(layers):
        layer = f"new.encoder.layer.{i}"
        for kind in ("weight", "bias"):
            parts = [renamed.pop(f"{layer}.attention.{part}_proj.{kind}") for part in "qkv"]
            renamed[f"{layer}.attention.qkv_proj.{kind}"] = torch.cat(parts)
        parts = [renamed.pop(f"{layer}.mlp.{part}_proj.weight") for part in ("up", "gate")]
        renamed[f"{layer}.mlp.up_gate_proj.weight"] = torch.cat(parts)
    return renamed


def write_model(name, folder):
    kind, fields, _, _ = CASES[name]
    torch.manual_seed(sum(map(ord, name)))
    fields = {key: value for key, value in fields.items() if kind != "new" or key not in NEW}
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model("gte" if kind == "new" else kind, **fields))
    randomize(model)
    folder.mkdir(parents=True)
    model.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    if kind == "new":
        named = {key: value for key, value in model.state_dict().items() if key in dict(model.named_parameters())}
        tensors = published_names(named, fields["num_hidden_layers"])
        config = json.loads((folder / "config.json").read_text())
        config.pop("rope_parameters", None)
        config |= {"model_type": "new", "architectures": ["NewForMaskedLM"], **NEW}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tensors = {key: value.to(torch.bfloat16).contiguous() for key, value in tensors.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for extra in folder.glob("generation_config.json"):
        extra.unlink()


def make(shared):
    FAMILIES.mkdir(parents=True, exist_ok=True)
    published()
    for name in [*CASES, *SHARED]:
        folder = FAMILIES / name
        shutil.rmtree(folder, ignore_errors=True)
        if name in CASES:
            _, fields, longest, padding = CASES[name]
            write_model(name, folder)
            source, texts = folder, sequences_of(longest, padding)
        else:
            folder.mkdir(parents=True)
            source, texts = shared / "goldens" / name, sequences_of(SHARED[name], None, 55)
        config = json.loads((source / "config.json").read_text())
        padding = config.get("pad_token_id")
        logits = token_logits(open_model(source, torch.float64), texts, padding)
        largest = logits.abs().max().item()
        error = (token_logits(open_model(source, torch.float32), texts, padding).double() - logits).abs().max().item()
        golden = {"transformers": transformers.__version__, "sequences": texts, "largest": largest, "float32Error": error}
        (folder / "golden.json").write_text(json.dumps(golden) + "\n")
        save_file({"logits": logits.float().contiguous()}, folder / "logits.safetensors")
        print(f"{name}: max |z| {largest:.3f}, float32 {error / largest:.1e} of it")


def check(folders):
    worst = 0.0
    for entry in folders or [str(FAMILIES / name) for name in CASES]:
        path, _, case = entry.partition("=")
        folder = Path(path)
        golden = FAMILIES / (case or folder.name)
        try:
            model = open_model(folder, torch.float64)
        except (ImportError, ValueError, KeyError) as error:
            print(f"{folder.name}: not opened by transformers {transformers.__version__}: {str(error)[:80]}")
            continue
        described = json.loads((golden / "golden.json").read_text())
        padding = json.loads((folder / "config.json").read_text()).get("pad_token_id")
        logits = token_logits(model, described["sequences"], padding)
        error = (logits - load_file(golden / "logits.safetensors")["logits"].double()).abs().max().item() / described["largest"]
        worst = max(worst, error)
        print(f"{folder.name}: {error:.1e} of max |z| in transformers {transformers.__version__}")
    if worst > 1e-6:
        sys.exit("logits differ")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["make", "check"])
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="folder with goldens/")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    if options.what == "make":
        make(options.shared)
    else:
        check(options.folders)


if __name__ == "__main__":
    main()
