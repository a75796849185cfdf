"""Writes src/tokenizer/bert-unicode.ts: the character classes of Hugging Face's BertNormalizer and BertPreTokenizer,
read off the native tokenizers code point by code point (its tables are of an older Unicode than any Node's).

    python scripts/golden/bert_unicode.py        # tokenizers==0.23.3
"""
from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
strip = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
split = pre_tokenizers.BertPreTokenizer()

classes: dict[str, list[int]] = {"removed": [], "nonspacingMark": [], "punctuation": []}
for code in [*range(0xD800), *range(0xE000, 0x110000)]:
    text = f"a{chr(code)}b"
    if clean.normalize_str(text) == "ab":
        classes["removed"].append(code)
    if strip.normalize_str(text) == "ab":
        classes["nonspacingMark"].append(code)
    if len(split.pre_tokenize_str(text)) == 3:
        classes["punctuation"].append(code)


def ranges(codes: list[int]) -> str:
    """A regular expression class body: \\u{a}-\\u{b}, in ASCII as it is written."""
    spans: list[list[int]] = []
    for code in codes:
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return " ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in spans)


docs = {
    "removed": "Removed by `clean_text`: control, format and private-use characters, NUL and U+FFFD.",
    "nonspacingMark": "Removed by `strip_accents` after canonical decomposition (category Mn).",
    "punctuation": "A word by itself for the pre-tokenizer (category P and all ASCII symbols).",
}
lines = [
    "/**",
    " * Character classes of Hugging Face's BertNormalizer and BertPreTokenizer as ranges of hexadecimal code points.",
    " * They are frozen, so that a text has the same ids under every version of Node and Unicode.",
    " * Made by `scripts/golden/bert_unicode.py`; not written by hand.",
    " */",
]
for name, codes in classes.items():
    lines += ["", f"/** {docs[name]} */", f"export const {name}: string ="]
    words, rows, row = ranges(codes).split(" "), [], ""
    for word in words:
        if len(row) + len(word) > 108:
            rows.append(row)
            row = ""
        row += word + " "
    rows.append(row.rstrip())
    lines += [f"  '{row}'" + (" +" if i < len(rows) - 1 else ";") for i, row in enumerate(rows)]
target = Path(__file__).parents[2] / "src/tokenizer/bert-unicode.ts"
target.write_text("\n".join(lines) + "\n", encoding="utf-8")
