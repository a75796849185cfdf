"""Makes test/golden/tokenizer/{byte-pair,places}.json: byte-level BPE as the native trainer trains it, and where pieces are in texts.

    python scripts/golden/byte_pair.py    # tokenizers==0.23.3
"""
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizer_texts import TEXTS, generator, random_text, shuffled
from word_piece import SPECIAL, pipeline

target = Path(__file__).parents[2] / "test/golden/tokenizer"
RANDOM = [random_text(generator.randint(1, 4), generator.randint(1, 40)) for _ in range(60)]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
NORMALIZERS = {
    "none": None,
    "nfc": normalizers.NFC(),
    "nfkc-lower": normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
}


def write(name: str, value: object) -> None:
    (target / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


def train_bytes(texts: list[str], size: int, normalizer: str, minimum: int, special: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if NORMALIZERS[normalizer] is not None:
        tokenizer.normalizer = NORMALIZERS[normalizer]
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=minimum, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def utf16(text: str, at: int) -> int:
    return len(text[:at].encode("utf-16-le")) // 2


def placed(tokenizer: Tokenizer, texts: list[str]) -> list[list]:
    """For each text the ids, starts and ends, without special tokens around it, places in UTF-16 units."""
    rows = []
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        rows.append([encoding.ids, *([utf16(text, o[i]) for o in encoding.offsets] for i in (0, 1))])
    return rows


if __name__ == "__main__":
    syllables = ["a", "ba", "ab", "na", "ri", "con", "ing", "er", "1", "22", "é", "ß", "한", "국", "中", "'s", "--"]
    stock = ["".join(generator.choices(syllables, k=generator.randint(1, 5))) for _ in range(300)]
    made = [" ".join(generator.choices(stock, weights=[1 / (r + 1) for r in range(300)], k=20)) for _ in range(100)]
    letters = [" ".join("".join(generator.choices("ab", k=generator.randint(1, 12))) for _ in range(12)) for _ in range(50)]
    written = [text for text in TEXTS if len(text) < 200] * 2 + shuffled(60)

    def case(name: str, texts: list[str], size: int, normalizer: str = "none", minimum: int = 2, special: list[str] = ROBERTA) -> dict:
        tokenizer = train_bytes(texts, size, normalizer, minimum, special)
        state = json.loads(tokenizer.to_str())["model"]
        vocabulary = sorted(state["vocab"], key=state["vocab"].__getitem__)
        tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=True)
        options = {"vocabularySize": size, "normalizer": normalizer, "minFrequency": minimum, "specialTokens": special}
        places = placed(tokenizer, TEXTS + RANDOM) if special is ROBERTA else None
        return {"name": name, "texts": texts, "options": options, "vocabulary": vocabulary[len(special) + 256 :], "merges": state["merges"], "places": places}

    cases = [
        case("syllables", made, 500),
        case("syllables, everything merges", made, 5000, minimum=0, special=SPECIAL),
        case("two letters, overlapping pairs", letters, 400, minimum=1, special=SPECIAL),
        case("written texts", written, 900, special=SPECIAL),
        case("written texts, NFC", written, 700, normalizer="nfc"),
        case("written texts, NFKC and lower case", written, 800, normalizer="nfkc-lower"),
    ]
    write("byte-pair.json", {"placed": TEXTS + RANDOM, "cases": cases})

    bert = []
    for lowercase, strip, form in [(True, None, None), (False, None, None), (True, False, "NFKC"), (True, True, "NFC")]:
        tokenizer = pipeline(lowercase)
        stage = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip)
        tokenizer.normalizer = stage
        if form is not None:
            stages = [getattr(normalizers, form)(), stage, *([normalizers.NFC()] if strip else [])]
            tokenizer.normalizer = normalizers.Sequence(stages)
        trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=SPECIAL, show_progress=False)
        tokenizer.train_from_iterator(written, trainer)
        tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
        bert.append({"json": json.loads(tokenizer.to_str()), "rows": placed(tokenizer, TEXTS + RANDOM)})
    write("places.json", {"texts": TEXTS + RANDOM, "cases": bert})
