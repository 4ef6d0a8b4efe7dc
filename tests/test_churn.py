"""The churn model: what it knows of planted data, and what it does with tables that were made to break it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data.churn import prepare
from models.churn import Churn, ChurnConfig, ChurnExample, ChurnPrediction, ChurnQuery
from models.churn.calibration import IDENTITY
from models.churn.columns import read_column
from models.churn.fitting import calibrate, stack
from models.churn.screening import GroupRates
from models.churn.trees import Trees
from models.churn.values import days, number, token
from models.errors import InputError
from models.rows import read_rows
from training.churn import RECIPE
from training.metrics import binary_metrics
from training.recipe import Split

SAMPLE = Path(__file__).parent.parent / "data" / "churn" / "sample.csv"


@pytest.fixture(scope="module")
def sample() -> list[ChurnExample]:
    return list(read_rows(SAMPLE, ChurnExample))


@pytest.fixture(scope="module")
def churn(sample: list[ChurnExample]) -> Churn:
    return Churn().fit(sample[:1_800])


@pytest.fixture(scope="module")
def unseen(sample: list[ChurnExample]) -> list[ChurnExample]:
    return sample[1_800:]


def ask(churn: Churn, features: Mapping[str, Any]) -> ChurnPrediction:
    (prediction,) = churn.predict([ChurnQuery(customer_id="c", features=dict(features))])
    return prediction


def examples(rows: Sequence[Mapping[str, Any]], labels: Sequence[Any]) -> list[ChurnExample]:
    return [
        ChurnExample(customer_id=str(place), features=dict(row), label=label)
        for place, (row, label) in enumerate(zip(rows, labels, strict=True))
    ]


# The sample


def test_the_sample_is_what_its_generator_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "__file__", str(tmp_path / "prepare.py"))
    prepare.main()
    assert (tmp_path / "sample.csv").read_bytes() == SAMPLE.read_bytes()
    assert SAMPLE.stat().st_size < 1_000_000


def test_probabilities_come_close_to_those_the_labels_were_drawn_with(churn: Churn, unseen: list[ChurnExample]) -> None:
    true = np.array([prepare.probability(row.features) for row in unseen])
    answered = np.array([prediction.probability for prediction in churn.predict(unseen)])
    always_base_rate = np.abs(true - churn.base_rate_).mean()
    assert np.abs(true - answered).mean() < always_base_rate / 4
    assert np.corrcoef(true, answered)[0, 1] > 0.95


def test_the_planted_reason_is_the_first_named_for_19_of_20_customers(churn: Churn, unseen: list[ChurnExample]) -> None:
    planted = [(row, prepare.causes(row.features)) for row in unseen]
    one_reason = [(row, next(iter(causes))) for row, causes in planted if len(causes) == 1]
    found = [
        next(reason.feature for reason in prediction.reasons if reason.direction == "raises") in prepare.SHOWN_BY[cause]
        for prediction, (_, cause) in zip(churn.predict([row for row, _ in one_reason]), one_reason, strict=True)
    ]
    assert len(found) > 100
    assert np.mean(found) >= 0.95


def test_decoys_matter_less_than_every_planted_cause(churn: Churn) -> None:
    decoys = {"payment_method", "region", "newsletter", "referred_by", "account_manager", "monthly_price", "plan", "usage_hours"}
    causes = {"price_rise_percent", "open_tickets", "usage_change_percent", "tenure_months", "contract"}
    weakest_cause = min(churn.importance_[name] for name in causes)
    assert all(churn.importance_[name] < weakest_cause for name in decoys)
    assert churn.ignored_columns_ == ("currency",)


@pytest.mark.parametrize(
    ("column", "calm", "alarming"),
    [("price_rise_percent", 0, 20), ("open_tickets", 0, 4), ("usage_change_percent", 10, -70), ("contract", "two_years", "monthly")],
)
def test_a_planted_cause_raises_the_probability_of_anybody(
    churn: Churn, unseen: list[ChurnExample], column: str, calm: Any, alarming: Any
) -> None:
    before = churn.predict([ChurnQuery(features=row.features | {column: calm}) for row in unseen[:100]])
    after = churn.predict([ChurnQuery(features=row.features | {column: alarming}) for row in unseen[:100]])
    assert all(high.probability > low.probability for low, high in zip(before, after, strict=True))


# Reasons


def test_base_and_contributions_add_up_to_the_probability(churn: Churn, unseen: list[ChurnExample]) -> None:
    contributions = churn.contributions(unseen)
    for prediction, by_column in zip(churn.predict(unseen), contributions, strict=True):
        logit = np.log(prediction.probability / (1 - prediction.probability))
        assert prediction.base_log_odds + by_column.sum() == pytest.approx(logit)
        named = sum(reason.contribution for reason in prediction.reasons)
        assert prediction.base_log_odds + named + prediction.other_log_odds == pytest.approx(logit)


def test_tree_contributions_are_those_of_lightgbm() -> None:
    import lightgbm

    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6))
    y = (X[:, 0] * X[:, 1] + X[:, 2] > rng.normal(size=500)).astype(float)
    parameters = {"objective": "binary", "num_leaves": 8, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(parameters, lightgbm.Dataset(X, y), 30)
    expected = np.asarray(booster.predict(X, pred_contrib=True))
    trees = Trees.from_lightgbm(booster.dump_model())
    parts = trees.parts(X)
    by_place = np.stack([parts[:, trees.place.ravel() == place].sum(axis=1) for place in range(6)], axis=1)
    np.testing.assert_allclose(by_place, expected[:, :6], atol=1e-9)
    assert trees.bias == pytest.approx(expected[0, 6])


def test_calibration_recovers_a_known_distortion() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 2, size=20_000)
    true = np.where(scores < 0, 0.2 * scores, 1.5 * scores) - 1
    labels = rng.random(len(scores)) < 1 / (1 + np.exp(-true))
    calibration = calibrate(scores, labels)
    inside = np.abs(scores) < 3
    assert np.abs(calibration(scores) - true)[inside].mean() < 0.2
    rising = calibration(np.linspace(-20, 20, 1_000))
    assert (np.diff(rising) > 0).all()


def test_a_straight_calibration_changes_nothing() -> None:
    scores = np.linspace(-5, 5, 11)
    np.testing.assert_allclose(IDENTITY(scores), scores)


def test_stacking_leans_on_the_half_that_knows() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(0, 2, size=5_000)
    labels = rng.random(len(true)) < 1 / (1 + np.exp(-true))
    noise, knows, intercept = stack(np.column_stack([rng.normal(size=len(true)), true]), labels)
    assert noise == pytest.approx(0, abs=0.1)
    assert knows == pytest.approx(1, abs=0.1)
    assert intercept == pytest.approx(0, abs=0.1)


# What a value means


def test_text_and_typed_values_give_the_same_answer(churn: Churn, unseen: list[ChurnExample]) -> None:
    for row in unseen[:50]:
        typed = {name: _typed(value) for name, value in row.features.items()}
        assert any(isinstance(value, float) for value in typed.values())
        text, parsed = ask(churn, row.features), ask(churn, typed)
        assert text.probability == parsed.probability
        assert [reason.contribution for reason in text.reasons] == [reason.contribution for reason in parsed.reasons]


def _typed(value: Any) -> Any:
    return value if value is None or np.isnan(number(value)) else number(value)


@pytest.mark.parametrize("same", [["12", 12, 12.0, " 12 ", "12.0", "1.2e1"], [True, "True", "true"], [None, "", "  ", float("nan")]])
def test_values_that_mean_the_same_are_one_category(same: list[Any]) -> None:
    assert len({token(value) for value in same}) == 1


def test_numbers_and_dates_are_read_from_text() -> None:
    assert [number(value) for value in ("12", 12, True, "False", 1e3)] == [12, 12, 1, 0, 1000]
    assert np.isnan([number(value) for value in (None, "", "twelve", float("inf"), 10**400)]).all()
    assert days("1970-01-02") == days("1970-01-02T00:00:00Z") == 1
    assert days("1970-01-02T01:00:00+01:00") == 1


def test_true_and_one_are_one_answer_in_a_column_of_flags() -> None:
    rows = [{"flag": str(place % 2 == 0), "other": place % 5} for place in range(100)]
    churn = Churn().fit(examples(rows, [row["flag"] for row in rows]))
    answers = {ask(churn, {"flag": value, "other": 2}).probability for value in (True, "True", "true", 1, "1", 1.0)}
    assert len(answers) == 1
    assert answers.pop() > ask(churn, {"flag": False, "other": 2}).probability


@pytest.mark.parametrize(("given_label", "left"), [("Yes", True), ("no", False), (1, True), ("0", False), (True, True), ("False.", False)])
def test_labels_are_read_in_the_words_that_tables_use(given_label: Any, left: bool) -> None:
    assert ChurnExample(features={}, label=given_label).label is left


def test_another_label_is_refused_with_what_was_expected() -> None:
    with pytest.raises(ValidationError, match="expected whether the customer left as Yes/No, True/False or 1/0, got 'maybe'"):
        ChurnExample.model_validate({"features": {}, "label": "maybe"})


def test_id_is_another_name_for_customer_id() -> None:
    assert ChurnQuery.model_validate({"id": 7, "features": {}}).customer_id == "7"


# Which columns are used, and how


@pytest.mark.parametrize(
    "values",
    [
        ["same"] * 100,
        [""] * 100,
        [f"382-{place:04d}" for place in range(100)],
        list(range(1, 101)),
        [str(15_000_000 + place) for place in range(100)],
    ],
    ids=["constant", "blank", "telephone number", "row number", "serial number"],
)
def test_columns_that_teach_nothing_are_ignored(values: list[Any]) -> None:
    assert read_column("column", values) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " ", "3.5", "2"] * 20, "number"),
        ([1, "2", None, "N/A"] * 20, "number"),
        (["2026-01-01", "2026-02-01", ""] * 20, "date"),
        (["a", "b", "1"] * 20, "category"),
        (["", "set"] * 20, "category"),
    ],
)
def test_a_column_is_read_as_what_nearly_all_of_it_is(values: list[Any], kind: str) -> None:
    column = read_column("column", values)
    assert column is not None
    assert column.kind == kind


def test_a_column_that_knows_the_outcome_is_named() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(300) < 0.3
    rows = [{"usage": float(rng.normal()), "cancellation_reason": "price" if label else None} for label in labels]
    churn = Churn().fit(examples(rows, labels.tolist()))
    assert churn.suspicious_columns_ == ("cancellation_reason",)
    assert [note.split()[0] for note in RECIPE.notes(churn)] == ["`cancellation_reason`"]


def test_the_most_telling_column_is_not_the_one_with_the_most_levels() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(600) < 0.4
    telling = read_column("telling", ["a", "b"] * 300)
    noise = [f"manager {manager}" for manager in rng.integers(200, size=600)]
    many = read_column("noise", noise)
    assert telling is not None
    assert many is not None
    seen = ["ab"[int(label if sure else not label)] for label, sure in zip(labels, rng.random(600) < 0.75, strict=True)]
    rates = GroupRates.count(telling, seen, labels)
    assert rates.roc_auc > 0.7 > 0.6 > GroupRates.count(many, noise, labels).roc_auc
    assert rates.rate("b") > labels.mean() > rates.rate("a")
    assert rates.rate("c") == labels.mean()


# Odd rows, odd tables


def test_a_missing_column_and_an_unseen_value_are_answered_and_named(churn: Churn, unseen: list[ChurnExample]) -> None:
    features = dict(unseen[0].features) | {"contract": "weekly", "shoe_size": 44}
    del features["plan"]
    prediction = ask(churn, features)
    assert prediction.known
    assert prediction.warnings == (
        "missing: plan",
        "never seen in training: contract = 'weekly'",
        "not in the training table, ignored: shoe_size",
    )


def test_what_was_missing_in_training_too_is_nothing_to_warn_about(churn: Churn, unseen: list[ChurnExample]) -> None:
    assert ask(churn, unseen[0].features | {"usage_hours": None, "referred_by": " "}).warnings == ()


@pytest.mark.parametrize("features", [{}, {"shoe_size": 44}, {"plan": "  ", "usage_hours": None}])
def test_a_customer_of_whom_nothing_is_known_is_marked(churn: Churn, features: dict[str, Any]) -> None:
    prediction = ask(churn, features)
    assert not prediction.known
    assert 0 < prediction.probability < 0.5


def test_an_offer_is_made_above_the_threshold(sample: list[ChurnExample], churn: Churn) -> None:
    for prediction in churn.predict(sample):
        assert prediction.action == ("offer" if prediction.probability > 0.8 else "none")


def test_twenty_rows_are_enough_to_fit() -> None:
    rows = [{"tickets": place % 10, "plan": "ab"[place % 2]} for place in range(20)]
    churn = Churn().fit(examples(rows, [row["tickets"] >= 7 for row in rows]))  # type: ignore[operator]
    assert ask(churn, {"tickets": 9, "plan": "a"}).probability > ask(churn, {"tickets": 0, "plan": "a"}).probability


@pytest.mark.parametrize("named", [True, False], ids=["with identifiers", "without"])
def test_the_same_customers_several_times_do_not_make_it_overconfident(
    sample: list[ChurnExample], unseen: list[ChurnExample], named: bool
) -> None:
    rows = [row if named else row.model_copy(update={"customer_id": None}) for row in sample[:600]]
    labels = [row.label for row in unseen]
    once, often = (
        binary_metrics(labels, [prediction.probability for prediction in Churn().fit(rows * times).predict(unseen)]) for times in (1, 4)
    )
    assert often["log_loss"] < once["log_loss"] + 0.02


def test_one_customer_who_left_teaches_only_the_base_rate() -> None:
    rows = [{"tickets": place} for place in [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]]
    churn = Churn().fit(examples(rows, [row["tickets"] == 9 for row in rows]))
    assert ask(churn, {"tickets": 9}).probability == pytest.approx(0.1)


def test_sixty_columns_of_all_kinds_with_gaps() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.4
    rows = [
        {f"number {column}": rng.normal() for column in range(20)}
        | {f"category {column}": f"level {rng.integers(40)}" for column in range(20)}
        | {f"sparse {column}": int(rng.integers(3)) if rng.random() < 0.2 else None for column in range(19)}
        | {"signal": float(label + rng.normal() * 0.3)}
        for label in labels
    ]
    churn = Churn().fit(examples(rows, labels.tolist()))
    assert next(iter(churn.importance_)) == "signal"
    assert ask(churn, {"signal": 1.3}).probability > 0.8 > 0.2 > ask(churn, {"signal": -0.3}).probability


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([], [], "got no rows"),
        ([{"a": 1}, {"a": 2}], [True, True], "got 2 who left"),
        ([{"a": 1}, {"a": 2}], [False, False], "got 2 who stayed"),
        ([{"a": 1}, {"a": 1}], [True, False], "got only constant or identifying ones"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(rows: list[Any], labels: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Churn().fit(examples(rows, labels))


TABLES = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))),
    min_size=2,
)


@settings(max_examples=30, deadline=None)
@given(TABLES)
def test_any_table_is_learned_from_or_refused(rows: list[dict[str, Any]]) -> None:
    labels = [place % 3 == 0 for place in range(len(rows))]
    try:
        churn = Churn(ChurnConfig(max_rounds=20)).fit(examples(rows, labels))
    except InputError:
        return
    predictions = churn.predict([ChurnQuery(features=row) for row in rows])
    assert all(0 <= prediction.probability <= 1 for prediction in predictions)


def test_a_process_that_only_predicts_imports_nothing_that_learns(churn: Churn, tmp_path: Path) -> None:
    churn.save(tmp_path / "saved")
    code = (
        "import sys, pathlib; from models.churn import Churn, ChurnQuery;"
        "Churn.load(pathlib.Path(sys.argv[1])).predict([ChurnQuery(features={})]);"
        "print([name for name in ('lightgbm', 'sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "saved")], capture_output=True, text=True, check=True, cwd=SAMPLE.parents[2]
    )
    assert done.stdout.strip() == "[]"


# Promises


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["monthly", "12", " ", "premium"])
)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["contract", "plan", "open_tickets", "signed_up", "?"]), VALUES), max_size=8))
def test_a_customer_gets_the_same_answer_alone_and_among_others(churn: Churn, rows: list[dict[str, Any]]) -> None:
    queries = [ChurnQuery(features=row) for row in rows]
    together = churn.predict(queries)
    alone = [churn.predict([query])[0] for query in queries]
    assert [_comparable(one) for one in together] == [_comparable(one) for one in alone]


def _comparable(prediction: ChurnPrediction) -> str:
    return prediction.model_dump_json()  # unlike NaN, its text equals itself


def test_the_same_rows_and_seed_give_the_same_bytes(sample: list[ChurnExample], tmp_path: Path) -> None:
    config = ChurnConfig(seed=3, max_rounds=40)
    first = Churn(config).fit(sample[:500]).save(tmp_path / "first")
    assert Churn(config).fit(iter(sample[:500])).save(tmp_path / "second") == first


def test_a_loaded_model_gives_the_same_answers(churn: Churn, unseen: list[ChurnExample], tmp_path: Path) -> None:
    churn.save(tmp_path / "saved")
    loaded = Churn.load(tmp_path / "saved")
    assert loaded.predict(unseen) == churn.predict(unseen)
    assert loaded.importance_ == churn.importance_
    assert list(loaded.importance_) == list(churn.importance_)


def test_the_schema_example_is_a_customer_of_the_sample(churn: Churn) -> None:
    (example,) = ChurnQuery.model_json_schema()["examples"]
    query = ChurnQuery.model_validate_json(json.dumps(example))
    (prediction,) = churn.predict([query])
    assert prediction.warnings == ()
    assert prediction.probability > 0.8


# How it is trained


def test_the_recipe_beats_its_baseline_and_keeps_its_gates_on_the_sample(sample: list[ChurnExample]) -> None:
    split = RECIPE.split(sample, 0)
    cases = RECIPE.cases(split, 0)
    queries = [case.query for case in cases]
    metrics = RECIPE.evaluate(Churn().fit(split.train).predict(queries), cases)
    baseline = RECIPE.evaluate(RECIPE.baseline(split.train)(queries), cases)
    assert metrics["log_loss"] < baseline["log_loss"]
    assert metrics["roc_auc"] > baseline["roc_auc"] + 0.1
    assert all(gate.shortfall(metrics[gate.metric]) <= 0 for gate in RECIPE.gates)
    assert {case.slices["contract"] for case in cases} == {"monthly", "yearly", "two_years"}


def test_a_customer_is_never_on_both_sides_and_keeps_its_side_when_the_table_grows(sample: list[ChurnExample]) -> None:
    held_out = {row.customer_id for row in RECIPE.split(sample[:1_000] * 2, 0).holdout}
    grown = RECIPE.split(sample, 0)
    assert held_out <= {row.customer_id for row in grown.holdout}
    assert held_out.isdisjoint({row.customer_id for row in grown.train})


def test_the_newest_rows_are_held_out_where_every_row_says_when(sample: list[ChurnExample]) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    dated = [row.model_copy(update={"observed_at": start + timedelta(hours=place)}) for place, row in enumerate(sample[:100])]
    split = RECIPE.split(dated[::-1], 0)
    assert {row.customer_id for row in split.holdout} == {row.customer_id for row in dated[80:]}


def test_figures_of_the_recipe_are_drawn(churn: Churn, unseen: list[ChurnExample]) -> None:
    cases = RECIPE.cases(Split(train=unseen, holdout=unseen), 0)
    drawn = RECIPE.figures(churn, churn.predict(unseen), cases)
    assert set(drawn) == {"reliability", "precision_recall", "importance"}
