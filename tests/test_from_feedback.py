"""Trainings on what was reported: each event once, no outcome among the features, the newest held out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

import foretell
from models.churn import Churn, ChurnConfig, ChurnPrediction, ChurnQuery
from models.environment import environment
from models.interest_graph import InterestGraphEvent, InterestGraphQuery
from models.rows import read_rows
from serving.champions import Champions
from serving.online import lessons
from serving.store import NewEvent, NewFeedback, NewPrediction, Store
from training.churn import RECIPE
from training.run import sample_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(registry: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The empty store of this test's own home."""
    monkeypatch.delenv("FORETELL_DATABASE_URL", raising=False)
    store = Store(environment().database_url)
    yield store
    store.close()


def train(*arguments: object) -> dict[str, Any]:
    result = CliRunner().invoke(foretell.app, ["train", *map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def refusal(*arguments: object) -> str:
    result = CliRunner().invoke(foretell.app, ["train", *map(str, arguments)])
    assert result.exit_code == 2, result.output
    return result.stderr


def predicted(store: Store, name: str, features: dict[str, Any], at: datetime) -> None:
    query = ChurnQuery(customer_id=name, features=features).model_dump_json()
    answer = ChurnPrediction(customer_id=name, probability=0.5).model_dump_json()
    store.record([NewPrediction(f"{name} {at}", "churn", name, at, query, answer)])


def turned_out(store: Store, name: str, predicted_at: datetime, left: bool, at: datetime) -> None:
    assert store.report([NewFeedback(f"{name} {predicted_at}", "churn", predicted_at, json.dumps(left), at)]) == ["stored"]


def test_stored_events_are_learned_once_by_the_training_and_the_workers(store: Store, registry: MlflowClient) -> None:
    rows = list(read_rows(sample_of("interest_graph"), InterestGraphEvent))
    someone = rows[0].user_id
    events = [NewEvent(f"e{number}", row.user_id, row.model_dump_json()) for number, row in enumerate(rows)]
    events += [NewEvent("zap", someone, rows[0].model_copy(update={"action": "zap"}).model_dump_json())]
    store.append("interest_graph", events)
    report = train("interest_graph", "--from-feedback")
    assert (report["rows"], report["alias"]) == (len(rows), "champion")
    tags = registry.get_model_version("interest_graph", "1").tags
    assert tags["absorbed"] == f"{store.identity()}:{len(events)}"
    assert tags["data"] == f"{len(events):,} stored events"

    store.append("interest_graph", [NewEvent("new", someone, rows[0].model_dump_json())])
    champions = Champions(["interest_graph"], environment(), store)
    champions.refresh()
    (status,) = champions.status()
    assert status.online is not None
    assert (status.online.watermark, status.online.events_applied) == (len(events) + 1, 1)
    answer = champions.answer("interest_graph", [InterestGraphQuery(user_id=someone, k=1_000)]).predictions[0]
    counted = sum(interest.actions for interest in [*answer.interests, *answer.rejected])
    assert counted == sum(row.user_id == someone for row in rows) + 1

    again = train("interest_graph", "--from-feedback", "--data", sample_of("interest_graph"))
    assert again["rows"] == 2 * len(rows) + 1
    tags = registry.get_model_version("interest_graph", "2").tags
    assert tags["data"] == f"{sample_of('interest_graph')} and {len(events) + 1:,} stored events"
    assert tags["absorbed"].endswith(f":{len(events) + 1}")


def test_outcomes_become_rows_as_of_the_prediction_and_train_a_version(store: Store) -> None:
    rng = np.random.default_rng(0)
    for number in range(300):
        asked, months = NOON + timedelta(hours=number), int(rng.integers(0, 60))
        predicted(store, f"c{number}", {"months": months, "plan": ("monthly", "yearly")[number % 2]}, asked)
        turned_out(store, f"c{number}", asked, bool(rng.random() < (0.8 if months < 20 else 0.1)), asked + timedelta(days=30))
    predicted(store, "nobody knows", {"months": 1, "plan": "monthly"}, NOON)
    rows = lessons("churn", store, RECIPE.from_feedback).rows
    assert [row.observed_at for row in rows] == [NOON + timedelta(hours=number) for number in range(300)]
    split = RECIPE.split(rows, 0)
    learned, held_out = ([row.observed_at or NOON for row in side] for side in (split.train, split.holdout))
    assert max(learned) < min(held_out)
    report = train("churn", "--from-feedback", "--set", "max_rounds=20", "--set", "folds=2")
    assert (report["rows"], report["alias"]) == (300, "champion")


def test_a_planted_leak_does_not_reach_the_features(store: Store) -> None:
    """Whoever leaves is asked about again, with the traces of having left; and feedback names that later prediction too."""
    for number in range(60):
        name, left = f"c{number}", number % 2 == 0
        asked, gone, asked_again = NOON, NOON + timedelta(days=10), NOON + timedelta(days=20)
        predicted(store, name, {"months": number // 4}, asked)
        predicted(store, name, {"months": number // 4, "cancelled_because": "price" if left else None}, asked_again)
        turned_out(store, name, asked, left, gone)
        turned_out(store, name, asked_again, left, gone)
    rows = lessons("churn", store, RECIPE.from_feedback).rows
    assert len(rows) == 60
    assert {row.observed_at for row in rows} == {NOON}
    assert {name for row in rows for name in row.features} == {"months"}
    model = Churn(ChurnConfig(folds=2, max_rounds=20)).fit(rows)
    assert "cancelled_because" not in model.importance_
    assert not model.suspicious_columns_


def test_without_anything_stored_or_for_a_model_that_learns_from_none_it_is_refused(store: Store) -> None:
    assert "expected stored rows to learn from, found none" in refusal("interest_graph", "--from-feedback")
    assert "expected one model with --data" in refusal("all", "--from-feedback")
    learns_not = next(slug for slug in ("root_cause", "resume_ranking") if not _learns(slug))
    assert f"expected a model that learns from what was reported, got {learns_not}" in refusal(learns_not, "--from-feedback")


def _learns(slug: str) -> bool:
    from training.run import recipe_of

    return recipe_of(slug).from_feedback is not None


def test_what_is_logged_of_a_training_names_nobody(store: Store, home: Path) -> None:
    shutil.rmtree(home / "artifacts", ignore_errors=True)
    rows = [
        row.model_copy(update={"user_id": f"person-{row.user_id}"}) for row in read_rows(sample_of("interest_graph"), InterestGraphEvent)
    ]
    store.append("interest_graph", [NewEvent(f"e{number}", row.user_id, row.model_dump_json()) for number, row in enumerate(rows)])
    train("interest_graph", "--from-feedback")
    naming = [path.name for path in home.rglob("*") if path.is_file() and b"person-u" in path.read_bytes()]
    assert sorted(set(naming)) == ["names.json", *(name for name in ("store.db", "store.db-wal") if name in naming)]
