"""Learn the weights in `models.search_synonyms.kinds` from logs of many made-up sites, habits and sizes; print them, and how they do.

Run in the project's folder: ``python -m data.search_synonyms.weights``; it takes about ten minutes. How well they carry over is measured on
sites that were left out, one by one: their words were not seen. Seeds here start at 1,000; tests and benchmarks use others.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from data.search_synonyms.prepare import WORLDS, Habits, Row, Site, generate
from models.encoder import default_encoder
from models.search_synonyms import SearchSynonymsConfig, SearchSynonymsExample
from models.search_synonyms.evidence import FEATURES
from models.search_synonyms.kinds import Weights
from models.search_synonyms.learning import learn
from models.search_synonyms.searches import Searches

LOGS = 60
VISITS = (4_000, 10_000, 25_000, 60_000)
FIRST_SEED = 1_000
RIDGE = 0.5

EITHER_SIGN = {"bias", "inflection", "abbreviation", "typo", "commoner", "letters"}
"""All other evidence can only speak for a pair, so that no accident of the made-up sites turns it round."""

Floats = NDArray[np.float64]


def main() -> None:
    """Print the weights, and precision and recall on left-out sites."""
    pairs = pl.concat([_pairs(number) for number in range(LOGS)])
    held_out = np.zeros(len(pairs))
    for world in WORLDS:
        rest, left_out = pairs.filter(pl.col("world") != world), pairs.filter(pl.col("world") == world)
        held_out[(pairs["world"] == world).to_numpy()] = Weights(_fitted(rest)).probabilities(left_out)
    same = pairs["same"].to_numpy()
    for threshold in (0.5, 0.7, 0.9):
        chosen = held_out >= threshold
        print(f"left-out sites, {threshold}: precision {same[chosen].mean():.3f}, recall {chosen[same].mean():.3f}")
    print({name: round(float(weight), 2) for name, weight in zip(("bias", *FEATURES), _fitted(pairs), strict=True)})


def _pairs(number: int) -> pl.DataFrame:
    """The candidate pairs of one log, with their features and whether they mean the same."""
    chance = random.Random(FIRST_SEED + number)  # noqa: S311
    site = Site(list(WORLDS)[number % len(WORLDS)], FIRST_SEED + number, _habits(chance))
    log = Searches.of(map(_record, generate(site, chance.choice(VISITS))))
    if chance.random() < 0.3:
        log = replace(log, results=np.full_like(log.results, -1))
    pairs = learn(log, SearchSynonymsConfig(), default_encoder().encode, Weights()).pairs
    same = [site.meaning(term) == site.meaning(goal) for term, goal in pairs.select("term", "goal").iter_rows()]
    return pairs.select(FEATURES).with_columns(same=pl.Series(same, dtype=pl.Boolean), world=pl.lit(site.name), log=pl.lit(number))


def _habits(chance: random.Random) -> Habits:
    between = chance.uniform
    return Habits(
        typo=between(0.03, 0.15),
        attribute=between(0.15, 0.7),
        clicks_what_fits=between(0.5, 0.9),
        clicks_what_does_not=between(0.0, 0.12),
        gives_up=between(0.2, 0.55),
        knows_another_name=between(0.25, 0.8),
        narrows=between(0.1, 0.4),
        widens=between(0.05, 0.2),
        takes_something_else=between(0.08, 0.35),
        takes_the_favourite=chance.choice((0.0, 0.3, 0.6, 0.9)),
        goes_on=between(0.1, 0.5),
        returns=between(0.1, 0.8),
        finds_other_names=chance.choice((0.0, 0.1, 0.3, 0.6)),
        finds_any_word=chance.choice((0.0, 0.3, 1.0)),
        stems=chance.choice((0.0, 0.5, 1.0)),
        logs_clicks=chance.random() < 0.6,
        bots=chance.choice((0.0, 0.004, 0.01)),
    )


def _record(row: Row) -> SearchSynonymsExample:
    return SearchSynonymsExample.model_construct(**row._asdict() | {"timestamp": datetime.fromtimestamp(row.timestamp, UTC)})


def _fitted(pairs: pl.DataFrame) -> Floats:
    """Logistic regression; a log counts with the root of its pairs, so that large ones do not rule."""
    x = np.column_stack([np.ones(len(pairs)), pairs.select(FEATURES).to_numpy()])
    sign = np.where(pairs["same"].to_numpy(), 1.0, -1.0)
    counts = 1 / np.sqrt(pairs.select(pl.len().over("log")).to_series().to_numpy())
    counts /= counts.mean()

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin, ridge = sign * (x @ weights), np.concatenate(([0.0], weights[1:]))
        slope: Any = -(counts * sign * expit(-margin)) @ x + RIDGE * ridge
        return float((counts * np.logaddexp(0, -margin)).sum() + RIDGE * ridge @ ridge / 2), slope

    bounds = [(None, None) if name in EITHER_SIGN else (0.0, None) for name in ("bias", *FEATURES)]
    found: Floats = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 3000}).x
    return found


if __name__ == "__main__":
    main()
