"""What the tokenizer goldens share: the native WordPieceTrainer, and the part of its result that is left to chance.

The native trainer numbers the prefixed alphabet `##a ##b …` by the iteration order of a randomly seeded hash table (so two
runs on the same texts give different ids, and other pieces where equally frequent pairs compete), and cuts the alphabet
at random among equally frequent characters. A golden is therefore one native run, its initial tokens (special, alphabet,
prefixed alphabet) in the order that it chose, and a limit of the alphabet that cuts between different frequencies.
"""
from collections import Counter

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def pipeline(lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def clear_limit(texts: list[str], lowercase: bool, limit: int) -> int:
    """The largest alphabet limit up to `limit` that does not cut among equally frequent characters."""
    tokenizer, characters = pipeline(lowercase), Counter()
    for text in texts:
        normalized = tokenizer.normalizer.normalize_str(text)
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalized):
            characters.update(word)
    counts = sorted(characters.values(), reverse=True)
    while limit < len(counts) and counts[limit - 1] == counts[limit]:
        limit -= 1
    return limit


def train(texts: list[str], size: int, lowercase: bool = True, minimum: int = 2, limit: int = 1000) -> list[str]:
    tokenizer = pipeline(lowercase)
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=minimum, limit_alphabet=limit, special_tokens=SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    vocabulary = tokenizer.get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


def initial(vocabulary: list[str]) -> list[str]:
    """The tokens that a vocabulary starts with before anything was merged."""
    at = len(SPECIAL)
    while at < len(vocabulary) and len(vocabulary[at]) == 1:
        at += 1
    while at < len(vocabulary) and len(vocabulary[at]) == 3 and vocabulary[at].startswith("##"):
        at += 1
    return vocabulary[:at]
