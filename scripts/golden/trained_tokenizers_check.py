"""Checks `lexray tokenizer train` against Hugging Face on real corpora, by hand (after `npm run build`):

    python scripts/golden/trained_tokenizers_check.py CORPUS.jsonl[.gz]...    # tokenizers==0.23.3, transformers 4.56 or 5.x

For each corpus byte-level BPE is trained natively and by the verb, and merges and vocabulary are compared. Then every folder
that the verb wrote (WordPiece and byte-level BPE, cased and not, several normalizers) is opened by transformers, and ids and
places are compared on 10,000 texts: those of the corpora and of words and characters of six and more scripts.
"""
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from pathlib import Path

import transformers
from byte_pair import ROBERTA, train_bytes, utf16
from tokenizer_texts import TEXTS, random_text, shuffled
from tokenizers import normalizers
from transformers import AutoTokenizer

root = Path(__file__).parents[2]
paths = sys.argv[1:]
choose = random.Random(11)


def read(path: str) -> list[str]:
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return [text for r in records if (text := " ".join(r[k] for k in ("title", "text") if r.get(k))).strip()]


def script(text: str) -> str:
    names = Counter(unicodedata.name(c, "?").split(" ")[0] for c in text if c.isalpha())
    return names.most_common(1)[0][0] if names else "-"


corpora = {path: read(path) for path in paths}
words: dict[str, list[str]] = {}
for text in TEXTS:
    for word in text.split():
        words.setdefault(script(word), []).append(word)
texts = [t[:2000] for corpus in corpora.values() for t in choose.sample(corpus, 4000 // len(corpora))]
for name, stock in words.items():
    if len(stock) >= 5 and name not in ("LATIN", "-"):
        texts += ["".join(choose.choice(stock)[choose.randint(0, 2) :] + choose.choice(["", " ", " "]) for _ in range(8)) for _ in range(900)]
texts += [*shuffled(1500), *(random_text(3, 40) for _ in range(1000))]
# The native library's tables are older than ours: it does not know the order of newer marks, nor newer compatibility characters.
known = [t for t in texts if t.strip() and all(unicodedata.category(c) != "Cn" for c in t) and all(getattr(normalizers, f)().normalize_str(t) == unicodedata.normalize(f, t) for f in ("NFC", "NFKC"))]
print(f"{len(texts) - len(known)} of {len(texts)} texts left out, which the native library normalizes by older tables")
texts = choose.sample(known, 10_000)
print("texts by script:", dict(Counter(map(script, texts)).most_common(12)))

failed = 0
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")

    def train(out: str, path: str, *options: str) -> float:
        start = time.time()
        command = ["node", "dist/cli/main.js", "tokenizer", "train", path, "-o", str(folder / out), "-q", *options]
        subprocess.run(command, cwd=root, check=True, capture_output=True)
        return time.time() - start

    for i, (path, corpus) in enumerate(corpora.items()):
        for size, normalizer, options in [(8192, "none", []), (30000, "nfc", ["--normalization", "nfc"]), (16000, "nfkc-lower", ["--normalization", "nfkc", "--case", "lower"])]:
            start = time.time()
            native = json.loads(train_bytes(corpus, size, normalizer, 2, ROBERTA).to_str())["model"]
            native_seconds = time.time() - start
            seconds = train(f"bpe-{i}-{normalizer}", path, "--type", "byte-bpe", "--size", str(size), *options)
            ours = json.loads((folder / f"bpe-{i}-{normalizer}" / "tokenizer.json").read_text(encoding="utf-8"))["model"]
            same = [tuple(m) for m in native["merges"]] == [tuple(m.split(" ")) for m in ours["merges"]] and native["vocab"] == ours["vocab"]
            failed += not same
            print(f"{'same' if same else 'DIFFERENT'} merges and vocabulary: {Path(path).parent.name}, {normalizer}, {len(ours['merges'])} merges; native {native_seconds:.0f} s, ours {seconds:.0f} s with the reading")
        train(f"wordpiece-{i}-uncased", path)
        train(f"wordpiece-{i}-cased-nfc", path, "--case", "keep", "--normalization", "nfc")
        train(f"wordpiece-{i}-uncased-nfkc", path, "--normalization", "nfkc")
        train(f"bpe-{i}-modernbert", path, "--type", "byte-bpe", "--style", "modernbert")

    for out in sorted(p for p in folder.iterdir() if p.is_dir()):
        tokenizer = AutoTokenizer.from_pretrained(out)
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        native = [backend.encode(text) for text in texts]
        code = f"""
import {{ readFileSync }} from 'node:fs';
import {{ loadTokenizer }} from './dist/tokenizer/load-tokenizer.js';
const tokenizer = await loadTokenizer({json.dumps(str(out))});
const texts = JSON.parse(readFileSync({json.dumps(str(folder / "texts.json"))}, 'utf8'));
const rows = texts.map((text) => {{
  const placed = tokenizer.encodePlaced(text);
  return [tokenizer.encode(text), placed.ids, placed.starts, placed.ends].map((numbers) => Array.from(numbers));
}});
process.stdout.write(JSON.stringify(rows));
"""
        result = subprocess.run(["node", "--input-type=module", "-e", code], cwd=root, capture_output=True, check=True)
        rows = json.loads(result.stdout)
        wrong = {i for i, row in enumerate(rows) if row[0] != native[i].ids or row[1] != native[i].ids}
        exact = pieces = outside = 0
        for i, (text, encoding, (_, ids, starts, ends)) in enumerate(zip(texts, native, rows)):
            if i in wrong:
                continue
            for at, (start, end) in enumerate(encoding.offsets):
                # Only RobertaProcessing takes the space before a word out of its place.
                while start < end and text[start] == " ":
                    start += 1
                if starts[at] == -1 or start == end:
                    continue
                pieces += 1
                start, end = utf16(text, start), utf16(text, end)
                exact += (starts[at], ends[at]) == (start, end)
                outside += not (starts[at] <= start and end <= ends[at])
        failed += len(wrong) > 0 or outside > 0
        print(
            f"{out.name}: {type(tokenizer).__name__} of transformers {transformers.__version__}, {tokenizer.mask_token} {tokenizer.mask_token_id}, {len(wrong)} of {len(texts)} texts differ, "
            f"{pieces} pieces, places equal {exact / pieces:.4f}, wider by a mark {(pieces - exact - outside) / pieces:.4f}, outside {outside}"
        )
        for i in sorted(wrong)[:3]:
            print("   ", ascii(texts[i][:100]))
sys.exit(failed > 0)
