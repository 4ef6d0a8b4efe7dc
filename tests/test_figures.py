"""Every picture can be drawn, shows what it was given, and leaves pyplot alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from training import figures
from training.metrics import ece

RNG = np.random.default_rng(0)
P = RNG.beta(1, 3, 500)
Y = RNG.uniform(size=500) < P

DRAWN = {
    "reliability": figures.reliability_curve(Y, {"model": P, "baseline": np.full(500, Y.mean())}),
    "precision_recall": figures.precision_recall_curve(Y, {"model": P}),
    "bar": figures.bar({f"feature {i}": float(i) for i in range(30)}, "Title", "gain"),
    "log_log": figures.log_log({"degree": [0, 1, 1, 2, 8]}, "Title", "degree"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_it_can_be_drawn(name: str) -> None:
    image = io.BytesIO()
    DRAWN[name].savefig(image, format="png", dpi=40)
    assert image.getvalue().startswith(b"\x89PNG")


def test_the_reliability_curve_shows_the_error_that_ece_sums() -> None:
    curve: Figure = figures.reliability_curve(Y, {"model": P})
    x, y = curve.axes[0].get_lines()[1].get_xydata().T  # type: ignore[union-attr]
    # 500 cases in 15 bins: 33 or 34 in each.
    assert np.abs(x - y).mean() == pytest.approx(ece(Y, P), abs=0.001)


def test_only_the_largest_bars_are_shown_largest_on_top() -> None:
    labels = [label.get_text() for label in DRAWN["bar"].axes[0].get_yticklabels()]
    assert labels == [f"feature {i}" for i in range(10, 30)]


def test_a_log_log_plot_shares_out_every_value() -> None:
    x, share = DRAWN["log_log"].axes[0].get_lines()[0].get_xydata().T  # type: ignore[union-attr]
    assert dict(zip(x.tolist(), share.tolist(), strict=True))[8] == pytest.approx(1 / 5)
    assert share.max() == pytest.approx(4 / 5)
