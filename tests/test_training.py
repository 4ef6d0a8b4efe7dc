"""From rows to a champion: what is registered, what is refused, and that the same again is the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

import training.churn
from models.base import read_manifest
from models.churn import ChurnConfig
from models.digest import sha256_of
from models.errors import GateError, InputError
from training import tracking
from training.evaluation import gates
from training.recipe import Gate
from training.run import Report, parse_settings, sample_of, train

RECIPE = training.churn.RECIPE


def quick(**changes: object) -> Report:
    """A training that takes no longer than it must."""
    return train("churn", **({"settings": {"max_rounds": "20", "folds": "2"}} | changes))  # type: ignore[arg-type]


def test_first_version_is_champion_the_same_again_is_not_and_the_way_back_is_known(registry: MlflowClient) -> None:
    first = quick()
    assert (first.version, first.alias) == (1, "champion")
    assert first.rows == 2_500
    assert first.metrics.keys() == first.baseline.keys()
    assert first.metrics[RECIPE.primary] != first.baseline[RECIPE.primary]

    second = quick()
    assert (second.version, second.alias) == (2, "challenger")
    assert "answers exactly as champion 1" in second.decision
    assert second.champion == second.metrics == first.metrics
    assert second.manifest_sha256 == first.manifest_sha256

    assert [(version.version, version.alias) for version in tracking.status()] == [(2, "challenger"), (1, "champion")]
    assert tracking.promote("churn").version == 2
    assert [(version.version, version.alias) for version in tracking.status()] == [(2, "champion")]
    assert tracking.rollback("churn").version == 1

    _is_judged_in_mlflow(registry, first)
    _answers_through_mlflow()


def _is_judged_in_mlflow(registry: MlflowClient, report: Report) -> None:
    """What a reviewer sees without a terminal."""
    run = registry.get_run(report.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["max_rounds"] == "20"
    assert run.data.tags["mlflow.source.git.commit"]
    logged = report.metrics | {f"baseline_{name}": value for name, value in report.baseline.items()}
    assert run.data.metrics == pytest.approx(logged)
    assert run.inputs is not None
    (data_set,) = run.inputs.dataset_inputs
    assert data_set.dataset.name == "sample.csv"
    assert {tag.key: tag.value for tag in data_set.tags}["sha256"] == sha256_of(sample_of("churn")) == report.data_sha256
    assert {file.path for file in registry.list_artifacts(report.run_id)} == {"card.md", "figures", "slices.json"}
    assert {Path(file.path).suffix for file in registry.list_artifacts(report.run_id, "figures")} == {".png"}

    version = registry.get_model_version("churn", "1")
    assert version.tags.keys() >= {"manifest_sha256", "folder", "rows", "data", "data_sha256", "trained_at", RECIPE.primary}
    assert RECIPE.baseline_name in str(version.description)
    saved = Path(mlflow.artifacts.download_artifacts(f"models:/churn/1/{version.tags['folder']}"))
    assert read_manifest(saved, version.tags["manifest_sha256"])["slug"] == "churn"


def _answers_through_mlflow() -> None:
    model = mlflow.pyfunc.load_model("models:/churn@champion")
    assert "customer_id" in str(model.metadata.signature.inputs)
    assert "probability" in str(model.metadata.signature.outputs)
    answers = model.predict([{"customer_id": "a", "features": {"contract": "monthly"}}, *model.input_example])
    assert answers[0]["customer_id"] == "a"
    assert all(0 < answer["probability"] < 1 for answer in answers)


def test_pictures_of_incidents_and_of_kinds_of_messages_are_logged_as_the_ui_shows_them(registry: MlflowClient) -> None:
    report = train("root_cause", settings={"n_draws": "20"})
    names = {file.path for file in registry.list_artifacts(report.run_id, "figures")}
    assert names == {"figures/cluster_map.svg", "figures/timeline.svg", "figures/suspects.png"}
    for name, words in (("cluster_map", "Kinds of messages"), ("timeline", "started it")):
        assert words in Path(registry.download_artifacts(report.run_id, f"figures/{name}.svg")).read_text()


def test_a_missed_gate_registers_nothing_and_says_by_how_much(registry: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = dataclasses.replace(RECIPE, gates=(Gate("roc_auc", at_least=0.999), Gate("brier_score", at_most=0.9)))
    monkeypatch.setattr(training.churn, "RECIPE", strict)
    with pytest.raises(GateError, match=r"churn was not registered: expected roc_auc at least 0\.999, got 0\.8\d+, off by 0\.1"):
        quick()
    assert registry.search_registered_models() == []
    (experiment,) = registry.search_experiments(filter_string="name = 'churn'")
    (run,) = registry.search_runs([experiment.experiment_id])
    assert run.info.status == "FAILED"
    assert "roc_auc" in run.data.metrics
    assert tracking.status() == []


def test_not_promoted_when_not_asked_for(registry: MlflowClient, tmp_path: Path) -> None:
    holdout = tmp_path / "holdout.csv"
    holdout.write_text("".join(sample_of("churn").read_text().splitlines(keepends=True)[:501]))
    report = quick(promote=False, holdout=holdout)
    assert report.alias == "challenger"
    assert report.rows == 3_000
    inputs = registry.get_run(report.run_id).inputs
    assert inputs is not None
    assert [tag.value for data_set in inputs.dataset_inputs for tag in data_set.tags if "context" in tag.key] == ["training", "holdout"]
    assert registry.get_registered_model("churn").aliases == {"challenger": 1}


def test_an_online_model_serves_what_it_learned_of_the_holdout_but_is_compared_without(registry: MlflowClient) -> None:
    first, second = train("interest_graph"), train("interest_graph")
    assert "answers exactly as champion 1" in second.decision
    assert second.manifest_sha256 == first.manifest_sha256
    tags = registry.get_model_version("interest_graph", "1").tags
    assert tags["manifest_sha256"] == first.manifest_sha256 != tags["judged_manifest_sha256"]
    card = Path(mlflow.artifacts.download_artifacts(f"runs:/{first.run_id}/card.md")).read_text()
    assert "the model also learned the held-out rows" in card


def test_rows_that_cannot_be_used_register_nothing(registry: MlflowClient, tmp_path: Path) -> None:
    one_class = tmp_path / "one.csv"
    one_class.write_text("id,tenure,label\n" + "".join(f"c{i},{i},Yes\n" for i in range(50)))
    with pytest.raises(InputError):
        quick(data=one_class)
    with pytest.raises(InputError, match=r"missing\.csv"):
        quick(data=tmp_path / "missing.csv")
    assert registry.search_registered_models() == []
    assert registry.search_experiments(filter_string="name = 'churn'") == []


def test_a_baseline_that_is_only_equalled_is_not_beaten() -> None:
    class Evaluation:
        metrics = baseline = {RECIPE.primary: 0.5} | {gate.metric: 0.5 for gate in RECIPE.gates}

    assert not gates(RECIPE, Evaluation)["baseline"].passed  # type: ignore[arg-type]


def test_settings_are_read_from_text() -> None:
    assert parse_settings(ChurnConfig, {"seed": "3", "offer_threshold": "0.5"}) == ChurnConfig(seed=3, offer_threshold=0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sead": "3"}, r"expected settings among seed, .*max_rounds, got sead"),
        ({"seed": "-1"}, r"setting seed: expected at least 0, got '-1'"),
        ({"seed": "[1"}, r"starts with a bracket to be JSON"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_settings(ChurnConfig, settings)
