"""Makes the figures in test/golden/bm25.test.ts: BM25 by brute force in float64, measured by trec_eval.

Run by hand from the repository, with the collections in a folder: python scripts/golden/bm25.py FOLDER COLLECTION...
Versions: Python 3.11, regex 2026.11.15, ir_measures 0.4.3, pytrec_eval-terrier 0.5.11.
"""

import collections
import json
import math
import sys
import unicodedata

import ir_measures
import regex
from ir_measures import RR, nDCG

K1, B = 0.9, 0.4
WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*")


def analyze(text):
    return WORD.findall(unicodedata.normalize("NFC", text).lower())


def records(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def measure(folder):
    documents = {}
    for record in records(f"{folder}/corpus.jsonl"):
        text = f"{record.get('title') or ''} {record.get('text') or ''}"
        documents[str(record["_id"])] = collections.Counter(analyze(text))
    lengths = {docid: sum(counts.values()) for docid, counts in documents.items()}
    average = sum(lengths.values()) / len(documents)
    postings = collections.defaultdict(list)
    for docid, counts in documents.items():
        for word, count in counts.items():
            postings[word].append((docid, count))
    with open(f"{folder}/qrels/test.tsv", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in list(lines)[1:]]
    qrels = [ir_measures.Qrel(qid, docid, int(grade)) for qid, docid, grade in rows]
    wanted = {qrel.query_id for qrel in qrels}
    run = []
    for query in records(f"{folder}/queries.jsonl"):
        qid = str(query["_id"])
        if qid not in wanted:
            continue
        scores = collections.Counter()
        for word in analyze(query["text"]):
            found = postings.get(word, [])
            idf = math.log(1 + (len(documents) - len(found) + 0.5) / (len(found) + 0.5))
            for docid, count in found:
                scores[docid] += idf * count / (count + K1 * (1 - B + B * lengths[docid] / average))
        run.extend(ir_measures.ScoredDoc(qid, docid, score) for docid, score in scores.items())
    return ir_measures.calc_aggregate([nDCG @ 10, RR], qrels, run)


for name in sys.argv[2:]:
    print(name, {str(key): round(value, 5) for key, value in measure(f"{sys.argv[1]}/{name}").items()}, flush=True)
