"""Opens a tokenizer folder that Lexray wrote with transformers and compares the ids, by hand (after `npm run build`):

    python scripts/golden/tokenizer_opens.py FOLDER TEXTS.jsonl[.gz]...    # tokenizers==0.23.3, transformers 4.56 or 5.x

To the texts come 3,000 of words in many scripts and 1,000 of random code points. Each is encoded whole and cut to 32 tokens. Also measures both tokenizers, one text at a time, on one core.
"""
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import transformers
from tokenizer_texts import random_text, shuffled
from transformers import AutoTokenizer

folder, *paths = sys.argv[1:]
texts: list[str] = []
for path in paths:
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            texts.append(" ".join(str(record[k]) for k in ("title", "text") if record.get(k)))
texts = [text for text in texts if text][:: max(1, len(texts) // 12_000)]
texts += [*shuffled(3000), *(random_text(3, 40) for _ in range(1000))]
tokenizer = AutoTokenizer.from_pretrained(folder)
tokenizer.backend_tokenizer.no_truncation()
start = time.time()
whole = [tokenizer.backend_tokenizer.encode(text).ids for text in texts]
seconds = time.time() - start
cut = [tokenizer(text, truncation=True, max_length=32)["input_ids"] for text in texts]
root = Path(__file__).parents[2]
with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
    json.dump(texts, file)
    file.flush()
    code = f"""
import {{ readFileSync }} from 'node:fs';
import {{ loadTokenizer }} from './dist/tokenizer/load-tokenizer.js';
const tokenizer = await loadTokenizer({json.dumps(str(Path(folder).resolve()))});
const texts = JSON.parse(readFileSync({json.dumps(file.name)}, 'utf8'));
const start = performance.now();
const whole = texts.map((text) => tokenizer.encode(text));
const ms = performance.now() - start;
const rows = whole.map((ids, i) => [Array.from(ids), Array.from(tokenizer.encode(texts[i], {{ maxLength: 32 }}))]);
process.stdout.write(JSON.stringify({{ ms, rows }}));
"""
    command = ["node", "--input-type=module", "-e", code]
    ours = json.loads(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)
wrong = [i for i, row in enumerate(ours["rows"]) if row != [whole[i], cut[i]]]
tokens = sum(map(len, whole))
print(f"transformers {transformers.__version__}, {type(tokenizer).__name__}: {len(texts)} texts, {tokens} tokens, {len(wrong)} differ")
print(f"native {tokens / seconds / 1e6:.2f} M tokens/s, ours {tokens / ours['ms'] / 1e3:.2f} M tokens/s")
for i in wrong[:5]:
    print(repr(texts[i][:200]), [(a, b) for a, b in zip(ours["rows"][i][0], whole[i]) if a != b][:5])
