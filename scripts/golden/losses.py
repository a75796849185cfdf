"""Makes test/fixtures/goldens/losses.json: ranking losses and regularizers with their gradients, by sentence-transformers and PyTorch.

    python scripts/golden/losses.py        (versions: requirements.txt beside this file)

A batch of 3 queries with 3 negatives each over 9 terms, in float64. Documents are ordered as in a Lexray batch: the positives,
then the first negative of each query, then the second ones, then the third. From sentence-transformers' own classes come
SparseMultipleNegativesRankingLoss, SparseMarginMSELoss with one negative and with three, SparseDistillKLDivLoss with one and
with two temperatures, FlopsLoss with and without a threshold, and SpladeLoss around them. Written here in PyTorch, after the
papers: margins of all pairs, KL without its factor, pairwise cross-entropy, L1, joint FLOPS, DF-FLOPS and anti-zero.

losses.json
    versions, queries [Q][V], documents [D][V], teacher [Q][1 + negatives], documentFrequencies [V]
    losses, regularizers     name -> value, gradients of queries and documents [rows][V]; the case names say what it is
    spladeLoss               the parts that SpladeLoss returns for two compositions, and the gradients of their sum
"""

import json
import math
from pathlib import Path

import sentence_transformers
import torch
import torch.nn.functional as F
from sentence_transformers.sparse_encoder import losses

QUERIES, NEGATIVES, TERMS = 3, 3, 9
OUT = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "goldens" / "losses.json"
ALPHA, BETA = 0.1, 10


class Given(torch.nn.Module):
    """Stands in for a model: the embeddings are what it is given."""

    def forward(self, features):
        return {"sentence_embedding": features["embeddings"]}


def sparse_batch(generator, rows):
    weights = torch.rand(rows, TERMS, generator=generator, dtype=torch.float64) * 2
    kept = torch.rand(rows, TERMS, generator=generator, dtype=torch.float64) < torch.linspace(0.3, 0.9, rows, dtype=torch.float64)[:, None]
    return (weights * kept).round(decimals=4)


def columns(queries, documents, negatives=NEGATIVES):
    """The columns of sentence-transformers: queries, positives, first negatives, ..."""
    return [queries] + [documents[i * QUERIES : (i + 1) * QUERIES] for i in range(1 + negatives)]


def case(compute, queries, documents):
    q, d = (x.clone().requires_grad_() for x in (queries, documents))
    value = compute(q, d)
    value.backward()
    zeros = lambda x: torch.zeros_like(x) if x.grad is None else x.grad
    return {"value": value.item(), "queries": zeros(q).tolist(), "documents": zeros(d).tolist()}


def own_scores(q, d):
    """[Q, 1 + negatives], the positive first."""
    return torch.stack([(q * column).sum(1) for column in columns(q, d)[1:]], dim=1)


def all_margins(q, d, teacher):
    pairs = torch.combinations(torch.arange(1 + NEGATIVES))
    student = own_scores(q, d)
    margin = lambda x: x[:, pairs[:, 0]] - x[:, pairs[:, 1]]
    return F.mse_loss(margin(student), margin(teacher))


def pairwise(q, d, in_batch):
    """Cross-entropy over the positives of the batch (or the query's own only) and the query's own negatives."""
    negatives = own_scores(q, d)[:, 1:]
    positives = q @ d[:QUERIES].T
    if in_batch:
        return F.cross_entropy(torch.cat([positives, negatives], dim=1), torch.arange(QUERIES))
    return F.cross_entropy(torch.cat([positives.diagonal()[:, None], negatives], dim=1), torch.zeros(QUERIES, dtype=torch.long))


def df_weights(frequencies):
    return 1 / (1 + (frequencies ** (math.log(2) / math.log(ALPHA)) - 1) ** BETA)


def main():
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(3)
    queries = sparse_batch(generator, QUERIES)
    documents = sparse_batch(generator, QUERIES * (1 + NEGATIVES))
    teacher = (torch.randn(QUERIES, 1 + NEGATIVES, generator=generator, dtype=torch.float64) * 3).round(decimals=4)
    frequencies = torch.linspace(0, 1, TERMS, dtype=torch.float64) ** 2
    model = Given()

    def st(loss, negatives=NEGATIVES, labels=None):
        return lambda q, d: loss.compute_loss_from_embeddings(columns(q, d, negatives), labels)

    kl = losses.SparseDistillKLDivLoss
    ranking = {
        "info-nce": st(losses.SparseMultipleNegativesRankingLoss(model)),
        "info-nce, temperature 0.5": st(losses.SparseMultipleNegativesRankingLoss(model, scale=2)),
        "margin-mse, one negative": st(losses.SparseMarginMSELoss(model), 1, teacher[:, :2]),
        "margin-mse": st(losses.SparseMarginMSELoss(model), NEGATIVES, teacher),
        "margin-mse, all margins": lambda q, d: all_margins(q, d, teacher),
        "kl": st(kl(model), NEGATIVES, teacher),
        "kl, one negative": st(kl(model), 1, teacher[:, :2]),
        "kl, student 3 and teacher 0.7": st(kl(model, student_temperature=3, teacher_temperature=0.7), NEGATIVES, teacher),
        "kl, temperature 4 without its factor": lambda q, d: F.kl_div(
            torch.log_softmax(own_scores(q, d) / 4, 1), torch.softmax(teacher / 4, 1), reduction="batchmean"
        ),
        "pairwise-cross-entropy": lambda q, d: pairwise(q, d, True),
        "pairwise-cross-entropy, own documents": lambda q, d: pairwise(q, d, False),
    }
    flops = losses.FlopsLoss(model).compute_loss_from_embeddings
    threshold = losses.FlopsLoss(model, threshold=5).compute_loss_from_embeddings
    regularizers = {
        "flops of queries": lambda q, d: flops(q),
        "flops of documents": lambda q, d: flops(d),
        "threshold-flops of queries": lambda q, d: threshold(q),
        "threshold-flops of documents": lambda q, d: threshold(d),
        "l1 of queries": lambda q, d: q.sum(1).mean(),  # no abs: weights are not negative, and its slope at 0 is 0 in PyTorch
        "l1 of documents": lambda q, d: d.sum(1).mean(),
        "joint-flops": lambda q, d: (q @ d.T).mean(),
        "joint-flops of positives": lambda q, d: (q * d[:QUERIES]).sum(1).mean(),
        "df-flops of documents": lambda q, d: ((df_weights(frequencies) * d.mean(0)) ** 2).sum(),
        "anti-zero": lambda q, d: 1 / q.sum() ** 2 + 1 / d.sum() ** 2,
    }
    compositions = {
        "MarginMSE and FLOPS": losses.SpladeLoss(
            model, losses.SparseMarginMSELoss(model), document_regularizer_weight=0.08, query_regularizer_weight=0.1
        ),
        "KL and FLOPS above thresholds": losses.SpladeLoss(
            model,
            kl(model),
            document_regularizer_weight=0.05,
            query_regularizer_weight=0.02,
            document_regularizer_threshold=5,
            query_regularizer_threshold=3,
        ),
    }

    def composed(loss):
        q, d = (x.clone().requires_grad_() for x in (queries, documents))
        parts = loss([{"embeddings": column} for column in columns(q, d)], teacher)
        sum(parts.values()).backward()
        return {"parts": {k: v.item() for k, v in parts.items()}, "queries": q.grad.tolist(), "documents": d.grad.tolist()}

    golden = {
        "versions": {"torch": torch.__version__, "sentence-transformers": sentence_transformers.__version__},
        "queries": queries.tolist(),
        "documents": documents.tolist(),
        "teacher": teacher.tolist(),
        "documentFrequencies": frequencies.tolist(),
        "losses": {name: case(compute, queries, documents) for name, compute in ranking.items()},
        "regularizers": {name: case(compute, queries, documents) for name, compute in regularizers.items()},
        "spladeLoss": {name: composed(loss) for name, loss in compositions.items()},
    }
    active = (documents > 0).sum(1)
    assert (active > 5).any() and (active <= 5).any(), active
    OUT.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{OUT.name}: {OUT.stat().st_size / 1024:.0f} KiB; active dimensions {active.tolist()}")


if __name__ == "__main__":
    main()
