"""Routers as sentence-transformers writes them, and the vectors that it gives: fixtures of the reader.

    python scripts/golden/router.py write VERSION     VERSION is 5.0 or 6.2, and must be that of this Python
    python scripts/golden/router.py shared FOLDER     vectors of if50 and if62 in FOLDER (run with 6.2)

`write` makes test/fixtures/goldens/router/static-VERSION (queries by learned token weights, some below 0) and pair-VERSION
(queries by a BERT of their own), 1 layer of width 16 with random weights, tokenizer of test/fixtures/tiny-model. With 6.2 it
also makes test/fixtures/goldens/router/idf: token weights in idf.json, and the documents' encoder in the model folder itself,
as in OpenSearch's models (their `types` have a module of the empty name). sentence-transformers looks for idf.json from the
folder where it runs, so its vectors are made there; 5.0 cannot open that form (`from_json` passes on a `cache_dir`).

An empty text is left out: alone in a batch it stops SparseStaticEmbedding of 5.0 with an error about types.

Each folder gets vectors.jsonl: {"text", "kind": "query" | "document", "indices", "values"}.
`shared` writes test/fixtures/goldens/router/if50.jsonl and if62.jsonl.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers import SparseEncoder
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "test" / "fixtures" / "tiny-model"
GOLDENS = ROOT / "test" / "fixtures" / "goldens" / "router"
TEXTS = [
    "The weather is lovely today.",
    "the the the rain",
    "[CLS] dog [SEP] [UNK] \u2603",
    "search index " * 40,
]


def new_layout():
    return sentence_transformers.__version__.startswith("6.")


def modules():
    """Classes of the version that runs."""
    if new_layout():
        from sentence_transformers.sparse_encoder.modules import Router, SparseStaticEmbedding, SpladePooling, Transformer

        return Router, SparseStaticEmbedding, SpladePooling, lambda path: Transformer(path, transformer_task="fill-mask")
    from sentence_transformers.models import Router
    from sentence_transformers.sparse_encoder.models import MLMTransformer, SparseStaticEmbedding, SpladePooling

    return Router, SparseStaticEmbedding, SpladePooling, lambda path: MLMTransformer(path, max_seq_length=24)


def encoder_folder(folder, seed):
    """A random BERT with the tiny model's tokenizer."""
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=118,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        initializer_range=0.4,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    tokenizer.model_max_length = 24
    tokenizer.save_pretrained(folder)
    return tokenizer


def write_vectors(model, path):
    with open(path, "w", encoding="utf-8") as file:
        for kind, method in (("query", model.encode_query), ("document", model.encode_document)):
            for text in TEXTS:
                vector = method([text], convert_to_sparse_tensor=False)[0].cpu()
                indices = vector.nonzero().ravel().tolist()
                line = {"text": text, "kind": kind, "indices": indices, "values": vector[indices].tolist()}
                file.write(json.dumps(line) + "\n")


def save(model, name):
    """Saves without the parts that differ from run to run, opens what was saved, and writes its vectors."""
    folder = GOLDENS / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(str(folder))
    (folder / "README.md").unlink(missing_ok=True)
    write_vectors(SparseEncoder(str(folder), device="cpu"), folder / "vectors.jsonl")


def write(version):
    if not sentence_transformers.__version__.startswith(version):
        raise SystemExit(f"this is sentence-transformers {sentence_transformers.__version__}, not {version}")
    Router, SparseStaticEmbedding, SpladePooling, transformer = modules()
    with tempfile.TemporaryDirectory() as work:
        documents, queries = os.path.join(work, "documents"), os.path.join(work, "queries")
        tokenizer = encoder_folder(documents, 1)
        encoder_folder(queries, 2)
        torch.manual_seed(3)
        weights = torch.randn(118) + 1
        weights[:5] = 0
        prompts = {"query": "what : ", "document": ""}

        def encoder(folder, activation):
            return [transformer(folder), SpladePooling(pooling_strategy="max", activation_function=activation)]

        static = Router.for_query_document(
            [SparseStaticEmbedding(tokenizer=tokenizer, weight=weights.clone())], encoder(documents, "log1p_relu")
        )
        save(SparseEncoder(modules=[static], similarity_fn_name="dot", device="cpu"), f"static-{version}")
        pair = Router.for_query_document(encoder(queries, "relu"), encoder(documents, "log1p_relu"))
        save(SparseEncoder(modules=[pair], similarity_fn_name="dot", device="cpu", prompts=prompts), f"pair-{version}")
        if new_layout():
            write_idf(documents, tokenizer, weights)


def write_idf(documents, tokenizer, weights):
    """By hand: no version of sentence-transformers writes this form."""
    folder = GOLDENS / "idf"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(documents, folder)
    query, pooling = folder / "query_0_SparseStaticEmbedding", folder / "document_1_SpladePooling"
    query.mkdir()
    pooling.mkdir()
    tokenizer.save_pretrained(query)
    tokens = tokenizer.convert_ids_to_tokens(list(range(118)))
    module = "sentence_transformers.sparse_encoder.models."
    files = {
        folder / "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Router"}],
        folder / "router_config.json": {
            "types": {
                "query_0_SparseStaticEmbedding": module + "SparseStaticEmbedding.SparseStaticEmbedding",
                "": module + "MLMTransformer.MLMTransformer",
                "document_1_SpladePooling": module + "SpladePooling.SpladePooling",
            },
            "structure": {"query": ["query_0_SparseStaticEmbedding"], "document": ["", "document_1_SpladePooling"]},
            "parameters": {"default_route": "document", "allow_empty_key": True},
        },
        folder / "config_sentence_transformers.json": {"model_type": "SparseEncoder", "similarity_fn_name": "dot"},
        folder / "sentence_bert_config.json": {"max_seq_length": 24, "do_lower_case": False},
        folder / "idf.json": {token: round(abs(weight), 4) for token, weight in zip(tokens, weights.tolist())},
        query / "config.json": {"frozen": True, "path": "idf.json"},
        pooling / "config.json": {"pooling_strategy": "max", "activation_function": "relu"},
    }
    for path, value in files.items():
        path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    before = os.getcwd()
    os.chdir(folder)
    try:
        write_vectors(SparseEncoder(str(folder), device="cpu"), folder / "vectors.jsonl")
    finally:
        os.chdir(before)


def main():
    action, argument = sys.argv[1:]
    torch.set_num_threads(1)
    GOLDENS.mkdir(parents=True, exist_ok=True)
    if action == "write":
        write(argument)
    elif action == "shared":
        for name in ("if50", "if62"):
            write_vectors(SparseEncoder(str(Path(argument) / name), device="cpu"), GOLDENS / f"{name}.jsonl")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
