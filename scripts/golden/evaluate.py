"""Makes test/fixtures/goldens/trec-eval.json: a synthetic run with qrels, and what ir_measures says of them.

    pip install ir-measures==0.4.3 pytrec-eval-terrier==0.5.11
    python scripts/golden/evaluate.py

nDCG, R, P, AP and RR without cutoff are computed by trec_eval's own code (through pytrec_eval). ir_measures computes RR@k
and Judged with code of its own that ranks ties by docid ascending; for these the ties are first resolved to trec_eval's
order, by replacing scores with ranks. The script checks that this changes nothing for trec_eval's measures.
"""

import json
import pathlib
import random
import struct

import ir_measures
from ir_measures import AP, RR, Judged, P, R, nDCG

TREC_EVAL = [nDCG, nDCG @ 1, nDCG @ 3, nDCG @ 10, nDCG @ 100, R @ 1, R @ 5, R @ 1000, R(rel=2) @ 5, R(rel=2) @ 1000,
             P @ 1, P @ 5, P @ 100, P(rel=3) @ 10, AP, AP @ 5, AP(rel=2), AP(rel=2) @ 10, RR, RR(rel=2)]
OTHERS = [RR @ 1, RR @ 3, RR @ 10, RR(rel=2) @ 10, Judged, Judged @ 1, Judged @ 10, Judged @ 100]


def float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def trec_order(documents):
    return sorted(documents.items(), key=lambda item: (float32(item[1]), item[0].encode()), reverse=True)


def make(seed):
    rng = random.Random(seed)
    pool = [f"d{i}" for i in range(60)] + ["D1", "d-1", "ä1", "zz\U0001F600", "zz\uE000", "d01", "1", "10", "9"]
    qrels, run = {}, {}
    for i in range(36):
        qid = f"q{i}"
        judged = rng.sample(pool, rng.choice([1, 3, 12, 40]))
        grades = [[0, 1], [-2, -1, 0, 1, 2, 3], [0, 1, 2, 3], [0], [-1, 0], [2]][i % 6]
        qrels[qid] = {d: rng.choice(grades) for d in judged}
        if i % 9 == 4:
            continue
        returned = rng.sample(pool, rng.choice([1, 4, 20, len(pool)]))
        kind = i % 4
        if kind == 0:
            score = lambda: float(rng.randrange(5))
        elif kind == 1:
            score = lambda: rng.uniform(-3, 3)
        elif kind == 2:
            score = lambda: 17 + rng.choice([0, 1e-7, 2e-7, 1e-6, 2e-6]) + rng.choice([0, 1e-9])
        else:
            score = lambda: rng.choice([1e-30, 0.0, -0.0, 5e20, 0.1])
        run[qid] = {d: score() for d in returned}
    run["only-in-run"] = {"d1": 1.0}
    return qrels, run


def values(measures, qrels, run):
    result = {str(m): {} for m in measures}
    for metric in ir_measures.iter_calc(measures, qrels, run):
        if metric.query_id in qrels:
            result[str(metric.measure)][metric.query_id] = metric.value
    return result


def main():
    qrels, run = make(20261121)
    ranked = {q: {d: float(len(ds) - i) for i, (d, _) in enumerate(trec_order(ds))} for q, ds in run.items()}
    golden = values(TREC_EVAL, qrels, run)
    assert golden == values(TREC_EVAL, qrels, ranked), "trec_order is not trec_eval's order"
    golden |= values(OTHERS, qrels, ranked)
    direct = values(OTHERS, qrels, run)
    assert any(golden[m] != direct[m] for m in direct), "the run has no ties that matter"
    for name, by_query in golden.items():
        assert by_query.keys() == qrels.keys(), name
    means = {str(m): v for m, v in ir_measures.calc_aggregate(TREC_EVAL, qrels, run).items()}
    means |= {str(m): v for m, v in ir_measures.calc_aggregate(OTHERS, qrels, ranked).items()}
    out = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/trec-eval.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    content = {"qrels": qrels, "run": run, "mean": means, "perQuery": golden}
    out.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
