"""SPLADE in plain PyTorch, as small as it gets: the oracle behind splade_step.py.

A text is a list of token ids; a batch is padded to its longest text. With logits z[b, l, v] of a BertForMaskedLM:

    v[b, t]  = log1p(relu(max_l z[b, l, t]))            max over the real tokens, special tokens included
    scores   = Q D^T / temperature,  D = [positives; negatives]
    loss     = InfoNCE(scores, label i = column i) + queryWeight * FLOPS(Q) + documentWeight * FLOPS(D)
    FLOPS(R) = sum_t (mean_b R[b, t])^2

Sources: SPLADE v2 (arXiv:2109.10086), FLOPS (arXiv:2004.05665). `check_against_sentence_transformers` holds it against
SpladeLoss + SparseMultipleNegativesRankingLoss of sentence-transformers.
"""

import torch
import torch.nn.functional as F
from transformers import BertForMaskedLM


def open_model(folder, dtype):
    """A BertForMaskedLM without dropout, so that training mode changes nothing."""
    return BertForMaskedLM.from_pretrained(
        folder, dtype=dtype, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    ).eval()


def pad(texts, pad_id=0):
    """Token ids [B, L] and mask [B, L] of 0 and 1."""
    width = max(len(text) for text in texts)
    ids = torch.full((len(texts), width), pad_id, dtype=torch.long)
    mask = torch.zeros((len(texts), width), dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        mask[row, : len(text)] = 1
    return ids, mask


def token_logits(model, texts):
    """Logits [B, L, V] with -inf at the padding."""
    ids, mask = pad(texts)
    logits = model(input_ids=ids, attention_mask=mask).logits
    return logits.masked_fill(mask.unsqueeze(-1) == 0, float("-inf"))


def encode(model, texts):
    """Max-pooled logits [B, V] and sparse vectors [B, V]."""
    pooled = token_logits(model, texts).max(dim=1).values
    return pooled, torch.log1p(torch.relu(pooled))


def flops(vectors):
    return (vectors.mean(dim=0) ** 2).sum()


def splade_loss(model, batch, settings):
    """Every part of the loss of one batch, with its graph."""
    query_logits, query_vectors = encode(model, batch["queries"])
    document_logits, document_vectors = encode(model, batch["positives"] + batch["negatives"])
    scores = query_vectors @ document_vectors.T / settings["temperature"]
    base = F.cross_entropy(scores, torch.arange(len(batch["queries"])))
    query_flops, document_flops = flops(query_vectors), flops(document_vectors)
    loss = base + settings["queryRegularizerWeight"] * query_flops + settings["documentRegularizerWeight"] * document_flops
    return {
        "loss": loss,
        "baseLoss": base,
        "queryFlops": query_flops,
        "documentFlops": document_flops,
        "scores": scores,
        "queryLogits": query_logits,
        "queryVectors": query_vectors,
        "documentLogits": document_logits,
        "documentVectors": document_vectors,
    }


def margins(model, batch):
    """How far a batch is from a kink: the smallest |z| over all pooled logits, and the smallest gap between the best
    and the second token of an active term. Both must be far above f32 noise, or an argmax may honestly differ.
    A logit of exactly 0 is left out: that is a zero row of the decoder with a zero bias ([PAD]), and relu'(0) = 0."""
    kink = gap = float("inf")
    largest = 0.0
    with torch.no_grad():
        for texts in (batch["queries"], batch["positives"] + batch["negatives"]):
            logits = token_logits(model, texts)
            best = logits.topk(2, dim=1).values
            kink = min(kink, best[:, 0][best[:, 0] != 0].abs().min().item())
            largest = max(largest, best[:, 0].max().item())
            active = best[:, 0] > 0
            gap = min(gap, (best[:, 0] - best[:, 1])[active].min().item())
    return {"smallestLogit": kink, "smallestGap": gap, "largestLogit": largest}


def unique_parameters(model):
    """Name to parameter, a tied tensor once, under the name of its input side.

    transformers 5 reads the bias of an untied decoder from `cls.predictions.decoder.bias` and leaves `cls.predictions.bias`
    unused; transformers 4 has one tensor for both and knows it as `cls.predictions.bias`. Here it is one, under the old name.
    """
    model.cls.predictions.decoder.bias = model.cls.predictions.bias
    return dict(model.named_parameters())


def check_against_sentence_transformers(model, batch, settings, gradients, tolerance):
    """Loss and gradients of sentence-transformers' own modules in training mode without dropout, same weights."""
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules.module import Module
    from sentence_transformers.sparse_encoder.losses import SparseMultipleNegativesRankingLoss, SpladeLoss
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    class Logits(Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, features):
            logits = self.model(input_ids=features["input_ids"], attention_mask=features["attention_mask"]).logits
            return {**features, "token_embeddings": logits}

        def save(self, *args, **kwargs):
            raise NotImplementedError

    encoder = SparseEncoder(modules=[Logits(), SpladePooling("max")], device="cpu")
    encoder.train()  # the model was opened with dropout 0: training and evaluation are the same function
    criterion = SpladeLoss(
        encoder,
        loss=SparseMultipleNegativesRankingLoss(encoder, scale=1 / settings["temperature"]),
        query_regularizer_weight=settings["queryRegularizerWeight"],
        document_regularizer_weight=settings["documentRegularizerWeight"],
    )
    features = []
    for column in ("queries", "positives", "negatives"):
        ids, mask = pad(batch[column])
        features.append({"input_ids": ids, "attention_mask": mask})
    model.zero_grad(set_to_none=True)
    loss = sum(criterion(features, torch.zeros(0)).values())
    loss.backward()
    parameters = dict(model.named_parameters())
    total = sum(g.square().sum() for g in gradients.values()).sqrt()
    worst = 0.0
    for name, expected in gradients.items():
        error = (parameters[name].grad.double() - expected.double()).norm()
        scale = expected.double().norm()
        if scale > 1e-10 * total:
            worst = max(worst, (error / scale).item())
    model.zero_grad(set_to_none=True)
    model.eval()
    if worst > tolerance:
        raise SystemExit(f"sentence-transformers disagrees: relative L2 {worst:.2e} > {tolerance:.0e}")
    return {"loss": loss.item(), "worstRelativeError": worst}
