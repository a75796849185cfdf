"""Makes test/golden/tokenizer/*.json: text cleaning, training and token ids by Hugging Face's own libraries.

    python scripts/golden/tokenizer.py [TOKENIZERS]    # tokenizers==0.23.3 transformers==5.23.0

TOKENIZERS holds bert-base-uncased/vocab.txt and roberta-base/{vocab.json,merges.txt}; without it their ids are left as they are.
"""
import json
import random
import sys
import tempfile
from pathlib import Path

from tokenizers import AddedToken, normalizers, pre_tokenizers
from transformers import BertTokenizer, RobertaTokenizer
from word_piece import clear_limit, initial, train

target = Path(__file__).parents[2] / "test/golden/tokenizer"
target.mkdir(parents=True, exist_ok=True)
generator = random.Random(7)

TEXTS = [
    "",
    " ",
    ".",
    "The quick brown fox jumps over the lazy dog.",
    "Crème brûlée à la façon d'Émile, naïve coöperation",
    "Straße, GROẞ, ﬁnance, ǅungla, İstanbul, ıssız",
    "ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ, ὀδυσσεὺς σοφός",
    "Съешь же ещё этих мягких французских булок, да выпей чаю",
    "Київ — столиця України; ґанок, їжак",
    "다람쥐 헌 쳇바퀴에 타고파. 희소 검색은 역색인을 씁니다",
    "한글 자모 한글 and compatibility ㅎㅏㄴ",
    "稀疏检索模型使用倒排索引。中文English混排123",
    "𠀋 𪜀 𫝀 豈 丽 astral and compatibility ideographs",
    "色は匂へど散りぬるを カタカナ ｶﾞｷﾞ が",
    "نَصٌّ حَكِيمٌ لَهُ سِرٌّ قَاطِعٌ ١٢٣ ؟",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า",
    "emoji 😀 👩‍👩‍👧‍👦 🇰🇷 ❤️ ☎︎ 🏳️‍🌈",
    "def f(x: int) -> str:\n\treturn f\"{x!r}\"  # comment",
    "const a = b?.c ?? [...d].map((e) => e ** 2); // readFileSync",
    "https://example.org/path?q=a%20b&c=d#e user@example.org",
    "tabs\tand\nlines\r\nand\x0bvertical\x0cform\x85next\u2028line\u3000ideographic\u00a0no-break",
    "nul\x00 control\x01\x7f soft\u00adhyphen zero\u200bwidth \ufeffbom replacement\ufffd private\ue000",
    "[CLS] literal [SEP] special [MASK] tokens [UNK][PAD] [cls] <s> </s> <mask>",
    "x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "😀" * 101,
    "e\u0301\u0323\u0304 \u0301alone a\u0301\u200db ñ ñ Å Å",
    "١٢٣ ½ ² ③ Ⅳ 10,000.50 -5 +7 3×4÷2 €5 $6 £7 ¥8",
    "don't can't it's I'm we've they'll you'd 'quoted' “double” «guillemets»",
    "unaffordable misunderstandings antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "a" + " b" * 40,
    "trailing space ",
    "  leading and   inner   spaces",
    "\n\n\nlines\n\n",
]

# Not the marks U+1AC0 and later: of two in a row the native library does not know the canonical order (its tables are older).
BLOCKS = [
    (0x20, 0x7E), (0x20, 0x7E), (0x20, 0x7E), (0x0, 0x1F), (0x7F, 0xFF), (0x100, 0x24F), (0x2B0, 0x36F), (0x370, 0x3FF),
    (0x400, 0x52F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x8FF), (0x900, 0xDFF), (0xE00, 0xFFF), (0x1000, 0x11FF),
    (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x2BFF), (0x2E00, 0x303F), (0x3040, 0x31FF), (0x3400, 0x9FFF), (0xA490, 0xABFF),
    (0xAC00, 0xD7A3), (0xF900, 0xFFFD), (0x10000, 0x11FFF), (0x16000, 0x1F9FF), (0x20000, 0x2FA1F), (0xE0000, 0xE01FF),
]


def random_text(blocks: int, length: int) -> str:
    chosen = [(0x20, 0x20), *generator.choices(BLOCKS, k=blocks)]
    return "".join(chr(generator.randint(*generator.choice(chosen))) for _ in range(length))


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
