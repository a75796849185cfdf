"""Compares token ids with Hugging Face's on 10,000 texts in 16 languages of 12 scripts, for published and trained tokenizers.

    python scripts/golden/tokenizer_scripts.py [TOKENIZERS]        # tokenizers==0.23.3 transformers==5.23.0, after `npm run build`
    python scripts/golden/tokenizer_scripts.py TOKENIZERS DATA     # compares at once, on texts of which half are real

The first makes test/golden/tokenizer/scripts.json: words, from which the test builds the same texts, and a digest of the ids of
every 100 texts by each tokenizer. Tokenizers are bert-base-uncased and roberta-base of the folder TOKENIZERS (bert-base-uncased
also read as cased, and bert-base-cased where it is there), and four that `lexray tokenizer train` makes of the texts. The
words are names of regions and languages from the Unicode CLDR, as Node has them. DATA holds general-wiki-en, general-wiki-ko, xquad-r-de.
"""
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from pathlib import Path

from tokenizers import AddedToken
from transformers import AutoTokenizer, BertTokenizer, RobertaTokenizer

root = Path(__file__).parents[2]
COUNT = 10_000
LANGUAGES = ["en", "ru", "ar", "hi", "ko", "zh", "ja", "fr", "vi", "el", "he", "th", "bn", "ta", "ka", "tr"]
SEPARATORS = [" "] * 12 + [", ", ". ", "", "", "-", "\n", "  ", "’", "/", " (", ") ", "!? ", "、", "·"]
ODD = ["😀", "👩‍👩‍👧", "e\u0301", "１２", "½", "ﬁn", "a\u200bb", "co\u00adop", "[MASK]", "<mask>", "[SEP]", "x" * 101, "don't", "C++17", "3,14 €"]
ODD += ["\ufeff", "𠀋", "İ", "ẞ", "\t", "ΟΔΟΣ", "ｶﾞ", "각", "१२३", "١٢٣", "U.S.", "mp3", "@user", "https://a.b/c?d=e"]
KINDS = {
    "wordpiece-uncased": [],
    "wordpiece-cased": ["--case", "keep", "--normalization", "nfc"],
    "byte-bpe-roberta": ["--type", "byte-bpe"],
    "byte-bpe-modernbert": ["--type", "byte-bpe", "--style", "modernbert", "--normalization", "nfc"],
}


def node(code: str) -> str:
    return subprocess.run(["node", "--input-type=module", "-e", code], cwd=root, capture_output=True, check=True, encoding="utf-8").stdout


def names() -> list[list[str]]:
    code = f"""
const regions = 'US KR JP CN RU EG IN FR VN GR IL TH BD LK GE TR DE IT ES BR ZA NG AU NZ FI IS PL UA KZ MN ET PE'.split(' ');
const languages = 'en ko ja zh ru ar hi fr vi el he th bn ta ka tr de it es pt fi pl uk kk mn am sw la cy eu yo zu'.split(' ');
const words = {json.dumps(LANGUAGES)}.map((language) => {{
  const name = (type, codes) => codes.map((code) => new Intl.DisplayNames([language], {{ type }}).of(code));
  return [...new Set([...name('region', regions), ...name('language', languages)].join(' ').split(/\\s+/))];
}});
process.stdout.write(JSON.stringify(words));"""
    return json.loads(node(code))


def built(words: list[list[str]], at: int) -> str:
    """The text of a number; test/golden/tokenizer-scripts.test.ts builds the same."""
    state = (at + 1) * 2654435761 % 2**32

    def pick(count: int) -> int:
        nonlocal state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        return state % count

    own, other = words[at % len(words)], words[pick(len(words))]
    text = ""
    for _ in range(3 + pick(16)):
        if pick(12) == 0:
            text += ODD[pick(len(ODD))]
        stock = other if pick(5) == 0 else own
        text += stock[pick(len(stock))]
        text += SEPARATORS[pick(len(SEPARATORS))]
    return text


def digests(rows: list[list[int]]) -> list[str]:
    blocks = (rows[i : i + 100] for i in range(0, len(rows), 100))
    return [hashlib.sha256(";".join(",".join(map(str, row)) for row in block).encode()).hexdigest()[:16] for block in blocks]


def read(path: Path) -> list[str]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        return [record["text"] for record in map(json.loads, lines)]


def script(text: str) -> str:
    found = Counter(unicodedata.name(c, "?").split(" ")[0] for c in text if c.isalpha())
    return found.most_common(1)[0][0] if found else "-"


words = names()
texts = [built(words, i) for i in range(COUNT)]
published = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
data = Path(sys.argv[2]) if len(sys.argv) > 2 else None
if data is not None:
    real = {"general-wiki-en/corpus.jsonl.gz": 1500, "general-wiki-ko/corpus.jsonl.gz": 2500, "xquad-r-de/corpus.jsonl": 1000}
    texts = texts[: COUNT - sum(real.values())]
    for path, count in real.items():
        stock = read(data / path)
        texts += [stock[i * len(stock) // count][:1500] for i in range(count)]
print(f"{len(texts)} texts, by script of most letters: {dict(Counter(map(script, texts)).most_common())}")

result: dict[str, list[list[int]]] = {}
failed = 0
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    tokenizers = {}
    if published is not None:
        mask = AddedToken("<mask>", lstrip=True, special=True)  # as in the published tokenizer.json; transformers 5 forgets it for bare vocab.json
        cased = folder / "bert-base-uncased, read as cased"
        cased.mkdir()
        (cased / "vocab.txt").write_bytes((published / "bert-base-uncased/vocab.txt").read_bytes())
        (cased / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
        tokenizers["bert-base-uncased"] = published / "bert-base-uncased", BertTokenizer.from_pretrained(published / "bert-base-uncased")
        tokenizers[cased.name] = cased, BertTokenizer.from_pretrained(cased, do_lower_case=False)
        if (published / "bert-base-cased").exists():
            tokenizers["bert-base-cased"] = published / "bert-base-cased", BertTokenizer.from_pretrained(published / "bert-base-cased", do_lower_case=False)
        tokenizers["roberta-base"] = published / "roberta-base", RobertaTokenizer.from_pretrained(published / "roberta-base", mask_token=mask)
    for name, options in KINDS.items():
        command = ["node", "dist/cli/main.js", "tokenizer", "train", str(folder / "texts.jsonl"), "-o", str(folder / name), "-q", "--size", "6000"]
        subprocess.run([*command, *options], cwd=root, check=True, capture_output=True)
        tokenizers[f"trained {name}"] = folder / name, AutoTokenizer.from_pretrained(folder / name)
    for name, (path, tokenizer) in tokenizers.items():
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        rows = result[name] = [encoding.ids for encoding in backend.encode_batch(texts)]
        code = f"""
import {{ readFileSync }} from 'node:fs';
import {{ loadTokenizer }} from './dist/tokenizer/load-tokenizer.js';
const tokenizer = await loadTokenizer({json.dumps(str(path))});
const texts = readFileSync({json.dumps(str(folder / "texts.jsonl"))}, 'utf8').trimEnd().split('\\n').map((line) => JSON.parse(line).text);
process.stdout.write(JSON.stringify(texts.map((text) => Array.from(tokenizer.encode(text)))));"""
        ours = json.loads(node(code))
        wrong = [i for i, row in enumerate(rows) if row != ours[i]]
        unknown = 0 if tokenizer.unk_token_id is None else sum(row.count(tokenizer.unk_token_id) for row in rows)
        print(f"{name}: {len(wrong)} of {len(rows)} texts differ; {sum(map(len, rows))} tokens, {unknown} unknown, {len(backend.get_vocab())} in the vocabulary")
        failed += len(wrong)
        for i in wrong[:3]:
            print("   ", ascii(texts[i][:200]), [(a, b) for a, b in zip(ours[i], rows[i]) if a != b][:4])
if data is None:
    golden = {"count": COUNT, "separators": SEPARATORS, "odd": ODD, "words": words, "trained": KINDS, "digests": {name: digests(rows) for name, rows in result.items()}}
    (root / "test/golden/tokenizer/scripts.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
sys.exit(failed > 0)
