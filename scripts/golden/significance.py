"""Makes test/fixtures/goldens/significance.json: what SciPy says of paired differences.

    pip install scipy==1.17.1 numpy==2.4.6
    python scripts/golden/significance.py

ttest_rel and t.sf for the t-test, permutation_test with all sign flips for the randomisation test, betainc for the function
under the t-test, bootstrap (percentile, many resamples) for intervals that ours must match to Monte Carlo error.
"""

import json
import pathlib
import warnings

import numpy as np
from scipy import special, stats


def sample(rng, n, kind):
    if kind == "normal":
        return rng.normal(0.03, 0.2, n)
    if kind == "grid":  # reciprocal ranks: many ties and zeros
        values = np.array([0, 0.1, 0.125, 0.2, 0.25, 1 / 3, 0.5, 1])
        return rng.choice(values, n) - rng.choice(values, n)
    return rng.exponential(1, n) - 0.8


def two_sided(t, df):
    # t.sf loses digits near 0 (1 - 9e-9 for 1 - 6e-9 at t = 1e-8 with one degree of freedom; 1 - 2 atan(t) / pi is exact).
    return special.betaincc(0.5, df / 2, t * t / (df + t * t)) if abs(t) < 0.1 else 2 * stats.t.sf(abs(t), df)


def main():
    rng = np.random.default_rng(20261121)
    tests = []
    for n, kind in [(2, "normal"), (5, "grid"), (8, "normal"), (10, "skewed"), (12, "grid"), (14, "normal"), (15, "grid"),
                    (60, "grid"), (245, "normal"), (5000, "skewed")]:
        d = np.round(sample(rng, n, kind), 6)
        t = stats.ttest_rel(d, np.zeros(n))
        case = {"kind": kind, "differences": d.tolist() if n <= 60 else None, "statistic": t.statistic, "p": t.pvalue}
        if n > 60:
            case |= {"n": n, "mean": d.mean(), "deviation": d.std(ddof=1)}
        if n <= 15:
            exact = stats.permutation_test((d, np.zeros(n)), lambda x, y: np.mean(x - y), permutation_type="samples",
                                           vectorized=False, n_resamples=np.inf, alternative="two-sided")
            case["exact"] = exact.pvalue
        if 10 <= n <= 60:
            boot = stats.bootstrap((d,), np.mean, n_resamples=200_000, method="percentile", rng=rng)
            case["interval"] = [boot.confidence_interval.low, boot.confidence_interval.high]
        tests.append(case)
    t_tail = [[t, df, two_sided(t, df)] for df in (1, 2, 3, 10, 49, 366, 6979, 100000)
              for t in (1e-8, 0.01, 0.5, 1, -1.96, 2.5, 5, 12, 35)]
    beta = [[x, a, b, special.betainc(a, b, x)] for a in (0.5, 1, 2.5, 30, 400) for b in (0.5, 1, 7, 90)
            for x in (1e-6, 0.01, 0.3, 0.5, 0.77, 0.999)]
    log_gamma = [[x, special.gammaln(x)] for x in (1e-3, 0.1, 0.5, 1.5, 2.5, 9.99, 10, 33.3, 1e4)]
    out = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/significance.json"
    content = {"tests": tests, "tTail": t_tail, "beta": beta, "logGamma": log_gamma}
    out.write_text(json.dumps(content, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
