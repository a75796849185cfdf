"""Makes test/fixtures/goldens/interpolation.json: monotone interpolation by SciPy, and an equal-cost bootstrap by NumPy.

    pip install scipy==1.17.1 numpy==2.4.6
    python scripts/golden/interpolation.py

PchipInterpolator without extrapolation on curves that rise, fall, stay flat and turn. The bootstrap resamples queries with
NumPy's generator, so that ours must match to Monte Carlo error only; its estimate must match exactly.
"""

import json
import pathlib

import numpy as np
from scipy.interpolate import PchipInterpolator


def curves(rng):
    yield [0, 1], [2, 3]
    yield [0, 1, 2], [0, 0, 1]
    yield [1, 2, 4, 8], [0.3, 0.34, 0.35, 0.36]
    yield [1, 2, 4, 8], [0.3, 0.3, 0.35, 0.2]
    yield [0, 0.1, 5, 6, 20], [-1, 4, 4.5, 4.4, 9]
    yield [0, 1, 10], [0, 1, -50]
    for n in (3, 4, 6, 9):
        yield np.cumsum(rng.exponential(1, n)).tolist(), rng.normal(0, 1, n).tolist()
        yield np.cumsum(rng.exponential(1, n)).tolist(), np.cumsum(rng.exponential(1, n)).tolist()


def estimate(curve, point):
    """Means of A's points over the queries, interpolated at B's mean cost over the logarithm of cost."""
    costs = np.log([c.mean() for _, c in curve])
    values = np.array([e.mean() for e, _ in curve])
    order = np.argsort(costs)
    at = np.clip(np.log(point[1].mean()), costs.min(), costs.max())
    return float(PchipInterpolator(costs[order], values[order])(at)) - point[0].mean()


def main():
    rng = np.random.default_rng(20261122)
    cases = []
    for xs, ys in curves(rng):
        pchip = PchipInterpolator(xs, ys, extrapolate=False)
        at = np.concatenate([xs, np.linspace(xs[0], xs[-1], 23)])
        cases.append({"xs": list(map(float, xs)), "ys": list(map(float, ys)), "at": at.tolist(), "value": pchip(at).tolist()})

    n = 60
    skill = rng.normal(0.4, 0.2, n)
    touched = rng.exponential(1, n)
    grade = lambda gain: np.round(np.clip(skill + gain + rng.normal(0, 0.1, n), 0, 1), 4)
    curve = [(grade(0.0), np.round(touched * 0.5, 4)), (grade(0.06), np.round(touched * 2, 4)), (grade(0.09), np.round(touched * 9, 4))]
    point = (grade(-0.01), np.round(touched * 1.4 + rng.exponential(0.2, n), 4))
    draws = []
    for _ in range(20_000):
        i = rng.integers(0, n, n)
        draws.append(estimate([(e[i], c[i]) for e, c in curve], (point[0][i], point[1][i])))
    low, high = np.quantile(draws, [0.025, 0.975])
    pack = lambda p: {"effectiveness": p[0].tolist(), "cost": p[1].tolist()}
    golden = {"curve": [pack(p) for p in curve], "point": pack(point), "cost": point[1].mean(),
              "difference": estimate(curve, point), "interval": [low, high]}
    out = pathlib.Path(__file__).parents[2] / "test/fixtures/goldens/interpolation.json"
    out.write_text(json.dumps({"pchip": cases, "equalCost": golden}, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    main()
