"""Writes a random BERT that behaves like a trained SPLADE model: sparse, and with gradients everywhere.

    python bench/peers/make_model.py small -o FOLDER [--tokenizer FOLDER] [--vocabulary 30522] [--seed 0]

A Hugging Face folder (config.json, model.safetensors, the tokenizer's files copied) that Lexray and the peers open, so that all
start from the same weights. Dropout is 0: with it no two runs could be compared. The decoder is tied, its rows have the standard
deviation 1 / sqrt(hidden), so that a logit is about N(bias, 1), and the bias is -3.5: in the small model about 130 active dimensions
a query of 32 random tokens and 270 a document of 128.
"""

import argparse
import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM

# layers, hidden, heads, intermediate
SIZES = {
    "tiny": (2, 128, 2, 512),
    "small": (6, 384, 12, 1536),
    "base": (12, 768, 12, 3072),
}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def build(size, vocabulary, seed, bias):
    layers, hidden, heads, intermediate = SIZES[size]
    torch.manual_seed(seed)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=intermediate,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name == "bert.embeddings.word_embeddings.weight":
                parameter.normal_(0, hidden**-0.5)
            elif parameter.dim() == 2:
                parameter.normal_(0, 0.04)
            elif name.endswith("LayerNorm.weight"):
                parameter.normal_(1, 0.1)
            else:
                parameter.normal_(0, 0.02)
        model.cls.predictions.bias.fill_(bias)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, help="folder whose tokenizer is copied (default: none)")
    parser.add_argument("--vocabulary", type=int, default=30522)
    parser.add_argument("--bias", type=float, default=-3.5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model = build(options.size, options.vocabulary, options.seed, options.bias)
    model.save_pretrained(options.output)
    if options.tokenizer:
        for name in TOKENIZER_FILES:
            if (options.tokenizer / name).exists():
                shutil.copyfile(options.tokenizer / name, options.output / name)
    print(f"{options.output}: {sum(p.numel() for p in model.parameters()):,} parameters")


if __name__ == "__main__":
    main()
