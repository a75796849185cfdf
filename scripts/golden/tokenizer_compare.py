"""Compares our WordPiece trainer with the native one on a large corpus, by hand (after `npm run build`):

    python scripts/golden/tokenizer_compare.py CORPUS.jsonl[.gz] [SIZE=8192] [LIMIT_ALPHABET=1000] [TEXTS=all]    # tokenizers==0.23.3
"""
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from word_piece import SPECIAL, clear_limit, initial, train

path, *numbers = sys.argv[1:]
size, limit, count = [*(int(n) for n in numbers), *[8192, 1000, None][len(numbers) :]]
with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
    records = [json.loads(line) for line in lines]
texts = [" ".join(str(r[k]) for k in ("title", "text") if r.get(k)) for r in records][:count]
limit = clear_limit(texts, True, limit)
start = time.time()
native = [train(texts, size, limit=limit) for _ in range(3)]
seconds = (time.time() - start) / 3
root = Path(__file__).parents[2]


def ours(special: list[str]) -> tuple[list[str], float]:
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        options = {"vocabularySize": size, "limitAlphabet": limit, "specialTokens": special}
        json.dump({"texts": texts, "options": options}, file)
        file.flush()
        code = f"""
import {{ readFileSync }} from 'node:fs';
import {{ trainWordPiece }} from './dist/tokenizer/train-word-piece.js';
const {{ texts, options }} = JSON.parse(readFileSync({json.dumps(file.name)}, 'utf8'));
const start = performance.now();
const {{ model }} = trainWordPiece(texts, options);
const ms = performance.now() - start;
console.log(JSON.stringify({{ ms, vocab: model.vocab }}));
"""
        command = ["node", "--input-type=module", "-e", code]
        result = json.loads(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)
        return sorted(result["vocab"], key=result["vocab"].__getitem__), result["ms"] / 1000


alone, took = ours(SPECIAL)
print(f"{len(texts)} texts, {sum(len(t.split()) for t in texts)} words by space, alphabet limit {limit}")
print(f"native: {len(native[0])} tokens, {seconds:.1f} s (all cores); ours: {len(alone)} tokens, {took:.1f} s (one)")
equal = [ours(initial(run))[0] == run for run in native[:2]]
print(f"ours with the prefixed alphabet in the order of a native run = that run, ids included: {equal}")
print(f"native runs among themselves: same ids {native[0] == native[1]}, tokens of one only {len(set(native[0]) - set(native[1]))}, {len(set(native[0]) - set(native[2]))}")
print(f"ours (order by code point) and native runs: tokens of ours only {[len(set(alone) - set(run)) for run in native]}")
