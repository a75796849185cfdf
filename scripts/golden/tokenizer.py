"""Makes test/golden/tokenizer/*.json: text cleaning, training and token ids by Hugging Face's own libraries.

    python scripts/golden/tokenizer.py [TOKENIZERS]    # tokenizers==0.23.3 transformers==5.23.0

TOKENIZERS holds bert-base-uncased/vocab.txt and roberta-base/{vocab.json,merges.txt}; without it their ids are left as they are.
"""
import json
import sys
import tempfile
from pathlib import Path

from tokenizers import AddedToken, normalizers, pre_tokenizers
from transformers import BertTokenizer, RobertaTokenizer
from tokenizer_texts import TEXTS, generator, random_text
from word_piece import clear_limit, initial, train

target = Path(__file__).parents[2] / "test/golden/tokenizer"
target.mkdir(parents=True, exist_ok=True)
RANDOM = [random_text(generator.randint(1, 4), generator.randint(1, 60)) for _ in range(400)]


def write(name: str, value: object) -> None:
    (target / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")


split = pre_tokenizers.BertPreTokenizer()
settings = [(True, True, None, True), (True, True, None, False), (True, False, True, False), (False, False, False, True), (False, True, None, True)]
write(
    "bert-text.json",
    {
        "texts": TEXTS + RANDOM,
        "cases": [
            {
                "options": {"cleanText": c, "handleChineseChars": h, "stripAccents": s, "lowercase": low},
                "words": [
                    [w for w, _ in split.pre_tokenize_str(normalizers.BertNormalizer(c, h, s, low).normalize_str(t))]
                    for t in TEXTS + RANDOM
                ],
            }
            for c, h, s, low in settings
        ],
    },
)

syllables = ["a", "aa", "ba", "ab", "na", "an", "ta", "ri", "re", "con", "ing", "er", "x", "1", "22", "é", "ß", "한", "국", "中"]
stock = ["".join(generator.choices(syllables, k=generator.randint(1, 5))) for _ in range(400)]
made = [" ".join(generator.choices(stock, weights=[1 / (r + 1) for r in range(400)], k=20)) for _ in range(150)]
letters = [" ".join("".join(generator.choices("ab", k=generator.randint(1, 12))) for _ in range(12)) for _ in range(60)]
written = [text for text in TEXTS if len(text) < 200] * 3


def training(name: str, texts: list[str], size: int, lowercase: bool = True, minimum: int = 2, limit: int = 1000) -> dict:
    limit = clear_limit(texts, lowercase, limit)
    vocabulary = train(texts, size, lowercase, minimum, limit)
    options = {"vocabularySize": size, "lowercase": lowercase, "minFrequency": minimum, "limitAlphabet": limit}
    return {"name": name, "texts": texts, "options": options, "initial": len(initial(vocabulary)), "vocabulary": vocabulary}


cases = [
    training("syllables", made, 500),
    training("syllables, few pieces", made, 60),
    training("syllables, everything merges", made, 5000, minimum=0),
    training("syllables, frequent pairs only", made, 5000, minimum=40),
    training("two letters, overlapping pairs", letters, 400, minimum=1),
    training("written texts in many scripts, cased", written, 900, lowercase=False),
    training("written texts, small alphabet", written, 300, limit=40),
]
write("train.json", cases)


def encoded(tokenizer) -> dict:
    texts = TEXTS + RANDOM[:80]
    lengths = [2, 3, 7, 16, 64]
    return {
        "texts": texts,
        "ids": [tokenizer(t)["input_ids"] for t in texts],
        "plain": [tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts],
        "truncated": [
            {"maxLength": n, "ids": [tokenizer(t, truncation=True, max_length=n)["input_ids"] for t in TEXTS]} for n in lengths
        ],
    }


with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "vocab.txt").write_text("".join(f"{t}\n" for t in cases[5]["vocabulary"]), encoding="utf-8")
    write("ids-cased.json", {"case": cases[5]["name"], **encoded(BertTokenizer.from_pretrained(folder, do_lower_case=False))})
if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
    write("ids-bert-base-uncased.json", encoded(BertTokenizer.from_pretrained(folder / "bert-base-uncased")))
    mask = AddedToken("<mask>", lstrip=True, special=True)  # as in the published tokenizer.json; transformers 5 forgets it for bare vocab.json
    write("ids-roberta-base.json", encoded(RobertaTokenizer.from_pretrained(folder / "roberta-base", mask_token=mask)))
