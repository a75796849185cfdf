"""Makes test/fixtures/goldens/study.json: what SciPy and NumPy say of quantiles of Student's distribution, variance
components, a two-way bootstrap and rank correlation; and scikit-learn of ROC areas and balanced accuracy.

    pip install scipy==1.17.1 numpy==2.4.6 scikit-learn==1.9.1
    python scripts/golden/study.py

Mean squares are computed from projections of the whole table, not by the sums of squares of rows and columns, and the two-way
bootstrap resamples whole rows and columns of the table.
"""

import json
import pathlib

import numpy as np
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score


def mean_squares(d):
    s, q = d.shape
    js, jq = np.full((s, s), 1 / s), np.full((q, q), 1 / q)
    part = lambda left, right: np.linalg.norm(left @ d @ right) ** 2
    return [part(np.eye(s) - js, jq) / (s - 1), part(js, np.eye(q) - jq) / (q - 1),
            part(np.eye(s) - js, np.eye(q) - jq) / ((s - 1) * (q - 1))]


def main():
    rng = np.random.default_rng(20261123)
    quantiles = [[p, df, stats.t.ppf(p, df)] for p in (0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.995, 0.99999)
                 for df in (0.5, 1, 1.7, 2, 3.3, 7, 29.4, 1000, 1e6)]
    tables = []
    for s, q, a, b, e in [(3, 20, 0.1, 0.2, 0.3), (8, 15, 0, 0.3, 0.1), (5, 12, 0.4, 0, 0.1), (2, 2, 0.1, 0.1, 0.1), (4, 30, 0, 0, 1)]:
        d = np.round(0.1 + a * rng.normal(size=(s, 1)) + b * rng.normal(size=(1, q)) + e * rng.normal(size=(s, q)), 5)
        ma, mb, me = mean_squares(d)
        # The sum of the parts, none below 0, and Satterthwaite over the mean squares that it is made of.
        parts = [m for m in (ma, mb) if m > me]
        total = sum(parts) - me * (len(parts) - 1)
        dfs = {ma: s - 1, mb: q - 1}
        spread = sum(m**2 / dfs[m] for m in parts) + (me**2 / ((s - 1) * (q - 1)) if len(parts) != 1 else 0)
        df = total**2 / spread
        error = np.sqrt(total / (s * q))
        t = d.mean() / error
        case = {"table": d.tolist(), "meanSquares": [ma, mb, me], "error": error, "df": df, "p": 2 * stats.t.sf(abs(t), df),
                "interval": [d.mean() - stats.t.ppf(0.975, df) * error, d.mean() + stats.t.ppf(0.975, df) * error]}
        draws = [d[rng.integers(0, s, s)][:, rng.integers(0, q, q)].mean() for _ in range(40_000)]
        case["bootstrap"] = np.quantile(draws, [0.025, 0.975]).tolist()
        tables.append(case)
    correlations = []
    for n in (4, 8, 12, 30):
        x = np.round(rng.normal(size=n), 1)
        y = np.round(0.6 * x + rng.normal(size=n), 1)
        case = {"x": x.tolist(), "y": y.tolist(), "rho": stats.spearmanr(x, y).statistic}
        if n >= 12:
            boot = stats.bootstrap((x, y), lambda a, b: stats.spearmanr(a, b).statistic, paired=True, vectorized=False,
                                   n_resamples=20_000, method="percentile", rng=rng)
            case["interval"] = [boot.confidence_interval.low, boot.confidence_interval.high]
        correlations.append(case)
    # Drawn apart, so that what stands above keeps its numbers.
    rng = np.random.default_rng(20261121)
    discriminations = []
    for n, digits in [(5, 1), (12, 1), (40, 1), (40, 4)]:
        collapsed, healthy = rng.integers(0, 4, n), rng.integers(0, 4, n)
        value = np.round(rng.normal(size=n) + 0.3 * collapsed, digits)
        judged = value > 0.5
        each = np.repeat(np.arange(n), 2)
        came, weight = np.tile([1, 0], n), np.column_stack([collapsed, healthy]).ravel()
        # Every run by itself, for the test of Mann and Whitney.
        u = stats.mannwhitneyu(np.repeat(value, collapsed), np.repeat(value, healthy)).statistic
        area = roc_auc_score(came, value[each], sample_weight=weight)
        assert abs(u / (collapsed.sum() * healthy.sum()) - area) < 1e-12
        accuracy = balanced_accuracy_score(came, judged[each], sample_weight=weight)
        discriminations.append({"value": value.tolist(), "collapsed": collapsed.tolist(), "healthy": healthy.tolist(),
                                "judged": judged.tolist(), "area": area, "accuracy": accuracy})
    out = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/study.json"
    content = {"quantiles": quantiles, "tables": tables, "correlations": correlations,
               "discriminations": discriminations}
    out.write_text(json.dumps(content, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    main()
