"""Another threshold for churn's offers, judged on logs whose truth is planted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

import foretell
from models.churn import Churn, ChurnConfig, ChurnExample
from models.churn.policy import ChurnPolicyQuestion, ChurnPolicyReport
from models.errors import InputError
from models.rows import read_rows
from tests.registered import register
from tests.test_serving import serving

SAMPLE = Path(__file__).parent.parent / "data" / "churn" / "sample.csv"
KEPT = 0.7
"""Share of those about to leave whom an offer keeps."""

Bools = NDArray[np.bool_]


@pytest.fixture(scope="module")
def sample() -> list[ChurnExample]:
    return list(read_rows(SAMPLE, ChurnExample))


@pytest.fixture(scope="module")
def churn(sample: list[ChurnExample]) -> Churn:
    return Churn(ChurnConfig(folds=2, max_rounds=50)).fit(sample[:1_200])


@pytest.fixture(scope="module")
def unseen(sample: list[ChurnExample]) -> list[ChurnExample]:
    return sample[1_200:]


def risk_of(churn: Churn, rows: list[ChurnExample]) -> NDArray[np.float64]:
    return np.array([answer.probability for answer in churn.predict(rows)])


def after(rows: list[ChurnExample], offered: Bools, propensity: Callable[[int], float | None]) -> list[ChurnExample]:
    """What the log says if some had got an offer."""
    kept = np.random.default_rng(1).random(len(rows)) < KEPT
    return [
        row.model_copy(
            update={
                "treatment": "offer" if offered[place] else "none",
                "label": row.label and not (offered[place] and kept[place]),
                "propensity": propensity(place),
            }
        )
        for place, row in enumerate(rows)
    ]


def tried(churn: Churn, log: list[ChurnExample], threshold: object) -> ChurnPolicyReport:
    return churn.evaluate_policy(ChurnPolicyQuestion.model_validate({"log": log, "set": {"offer_threshold": threshold}}))


@pytest.mark.parametrize("logged", [True, False])
def test_the_value_of_a_threshold_is_what_it_would_have_been(churn: Churn, unseen: list[ChurnExample], logged: bool) -> None:
    offered = np.random.default_rng(0).random(len(unseen)) < 0.3
    log = after(unseen, offered, lambda place: (0.3 if offered[place] else 0.7) if logged else None)
    report = tried(churn, log, "0.3")
    truth = np.mean([not row.label for row in after(unseen, risk_of(churn, unseen) > 0.3, lambda _: None)])
    assert report.refused is None
    assert report.value is not None
    assert report.value.dr.holds(float(truth))
    assert report.value.verdict == "better"
    assert sum(each.decisions for each in report.changed) == int((offered != (risk_of(churn, unseen) > 0.3)).sum())


def test_offers_that_followed_the_risk_say_nothing_without_a_propensity(churn: Churn, unseen: list[ChurnExample]) -> None:
    report = tried(churn, after(unseen, risk_of(churn, unseen) > 0.5, lambda _: None), 0.3)
    assert (report.value, "higher than that of others" in str(report.refused)) == (None, True)


def test_a_threshold_that_was_never_tried_is_refused(churn: Churn, unseen: list[ChurnExample]) -> None:
    report = tried(churn, after(unseen, risk_of(churn, unseen) > 0.5, lambda _: 1.0), 0.1)
    assert report.value is None
    assert "the log never tried" in str(report.refused)
    assert [(each.logged, each.instead) for each in report.changed] == [("none", "offer")]


def test_worth_counts_where_it_is_known(churn: Churn, unseen: list[ChurnExample]) -> None:
    offered = np.random.default_rng(0).random(len(unseen)) < 0.5
    log = [row.model_copy(update={"outcome_value": 0.0 if row.label else 40.0}) for row in after(unseen, offered, lambda _: 0.5)]
    value, plain = tried(churn, log, 0.3).value, tried(churn, after(unseen, offered, lambda _: 0.5), 0.3).value
    assert value is not None
    assert plain is not None
    assert value.ips.value == pytest.approx(40 * plain.ips.value)


def test_only_the_threshold_can_be_tried(churn: Churn, unseen: list[ChurnExample]) -> None:
    with pytest.raises(InputError, match="among offer_threshold, got folds"):
        churn.evaluate_policy(ChurnPolicyQuestion.model_validate({"log": unseen[:5], "set": {"folds": 3}}))
    with pytest.raises(InputError, match="setting offer_threshold: expected at most 1, got '2'"):
        tried(churn, unseen[:5], "2")


def test_the_command_answers_and_draws(churn: Churn, unseen: list[ChurnExample], home: Path, tmp_path: Path) -> None:
    register(churn)
    offered = np.random.default_rng(0).random(len(unseen)) < 0.5
    log = tmp_path / "trial.jsonl"
    rows = [
        {**row.features, "customer_id": row.customer_id, "label": row.label, "treatment": row.treatment}
        for row in after(unseen, offered, lambda _: None)
    ]
    log.write_text("\n".join(map(json.dumps, rows)))
    command = ["evaluate-policy", "churn", "--log", str(log), "--set", "offer_threshold=0.3", "--figure", str(tmp_path / "x.png"), "--json"]
    done = CliRunner().invoke(foretell.app, command)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["value"]["verdict"] == "better"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_over_http_the_answer_is_the_same(churn: Churn, unseen: list[ChurnExample], home: Path) -> None:
    register(churn)
    offered = np.random.default_rng(0).random(len(unseen)) < 0.5
    log = after(unseen, offered, lambda _: 0.5)
    body = {"log": [row.model_dump(mode="json") for row in log], "set": {"offer_threshold": 0.3}}
    with serving(("churn",)) as client:
        answered = client.post("/v1/churn/evaluate_policy", json=body)
        wrong = client.post("/v1/churn/evaluate_policy", json=body | {"set": {"offer_threshold": 2}})
    assert (answered.status_code, answered.json().get("answer")) == (200, tried(churn, log, 0.3).model_dump(mode="json"))
    assert (wrong.status_code, "setting offer_threshold: expected at most 1, got 2" in wrong.text) == (400, True)
