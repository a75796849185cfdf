"""Writes one training batch as JSON, so that Lexray and the peers step on the same tokens.

    python bench/peers/make_batch.py equal -o FILE [--pairs 16] [--query-length 32] [--document-length 128]
    python bench/peers/make_batch.py ragged --data BEIR_FOLDER --tokenizer FOLDER -o FILE [--pairs 16] ...

equal: every query and document is as long as allowed, of random tokens: nothing can be won by leaving out padding.
ragged: the queries of a BEIR folder with their best judged document as positive and the worst judged one (or, where all are
good, a random other document) as negative; title and text joined by a space; cut to the lengths with [SEP] kept.
The choice is drawn by Python's generator from --seed: the same file on every machine.

{ name, maxLength: { query, document }, queries, positives, negatives: [[token id, ...], ...], texts?: the same three lists,
  tokens: { real, padded } }     padded: queries to their longest, positives and negatives together to theirs
"""

import argparse
import json
import random
from pathlib import Path

CLS, SEP, FIRST_WORD = 101, 102, 1000
COLUMNS = ("queries", "positives", "negatives")


def equal(options):
    generator = random.Random(options.seed)

    def text(length):
        return [CLS, *(generator.randrange(FIRST_WORD, options.vocabulary) for _ in range(length - 2)), SEP]

    lengths = (options.query_length, options.document_length, options.document_length)
    return {column: [text(length) for _ in range(options.pairs)] for column, length in zip(COLUMNS, lengths)}


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in map(json.loads, file)}


def ragged(options):
    from tokenizers import Tokenizer

    documents, queries = (read_rows(options.data / name) for name in ("corpus.jsonl", "queries.jsonl"))
    grades = {}
    for line in (options.data / "qrels" / f"{options.split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        qid, docid, grade = line.split("\t")
        if docid in documents:
            grades.setdefault(qid, {})[docid] = float(grade)
    generator = random.Random(options.seed)
    docids, qids = sorted(documents), sorted(qid for qid in grades if max(grades[qid].values()) > 0)
    generator.shuffle(qids)
    if len(qids) < options.pairs:
        raise SystemExit(f"{options.data} has only {len(qids)} judged queries, not {options.pairs}")
    texts, used = {column: [] for column in COLUMNS}, set()

    def fresh(candidates):
        """The first document whose text the batch does not hold yet: twins would be false negatives."""
        for docid in candidates:
            if documents[docid] not in used:
                used.add(documents[docid])
                return documents[docid]
        return None

    for qid in qids:
        if len(texts["queries"]) == options.pairs:
            break
        judged = sorted(grades[qid].items(), key=lambda item: (-item[1], item[0]))
        positive = fresh([docid for docid, grade in judged if grade > 0])
        if positive is None:
            continue
        worse = [docid for docid, grade in reversed(judged) if grade <= 0]
        negative = fresh([*worse, *generator.sample(docids, 50)])
        for column, text in zip(COLUMNS, (queries[qid], positive, negative)):
            texts[column].append(text)
    tokenizer = Tokenizer.from_file(str(options.tokenizer / "tokenizer.json"))
    tokenizer.no_padding()
    batch = {}
    for column in COLUMNS:
        tokenizer.enable_truncation(options.query_length if column == "queries" else options.document_length)
        batch[column] = [tokenizer.encode(text).ids for text in texts[column]]
    return {**batch, "texts": texts}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kind", choices=["equal", "ragged"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--query-length", type=int, default=32)
    parser.add_argument("--document-length", type=int, default=128)
    parser.add_argument("--vocabulary", type=int, default=30522, help="of the random tokens of an equal batch")
    parser.add_argument("--no-negatives", action="store_true", help="pairs of query and positive only")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.kind == "ragged" and not (options.data and options.tokenizer):
        parser.error("a ragged batch needs --data and --tokenizer")
    batch = equal(options) if options.kind == "equal" else ragged(options)
    if options.no_negatives:
        batch["negatives"] = []
    documents = batch["positives"] + batch["negatives"]
    tokens = {
        "real": sum(map(len, batch["queries"] + documents)),
        "padded": sum(max(map(len, column)) * len(column) for column in (batch["queries"], documents)),
    }
    name = f"{options.kind}-{options.data.name}" if options.data else options.kind
    result = {
        "name": f"{name}-{options.pairs}x{options.query_length}/{options.document_length}",
        "maxLength": {"query": options.query_length, "document": options.document_length},
        **batch,
        "tokens": tokens,
    }
    options.output.write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{options.output}: {result['name']}, {tokens['real']} tokens, {tokens['padded']} with padding")


if __name__ == "__main__":
    main()
