"""The review of a dictionary on the command line: propose, approve, publish, export, demote, without a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import foretell
from models.search_synonyms.rules import Rule
from tests.registered import graph, register
from tests.test_synonym_review import SETTEE, TRAINED


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        register(TRAINED)
        register(graph())
    return folder


@pytest.fixture(autouse=True)
def surroundings(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETELL_HOME", str(home))
    monkeypatch.setenv("FORETELL_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(foretell.app, [str(argument) for argument in arguments])


def ask(question: str, *settings: str) -> str:
    result = run("ask", "search_synonyms", question, *(part for text in settings for part in ("--set", text)))
    assert result.exit_code == 0, result.output
    return result.stdout


def rules(*settings: str) -> list[dict[str, Any]]:
    return list(json.loads(ask("rules", *settings))["answer"]["rules"])


def decision(action: str, rule: Rule = SETTEE, day: int = 2, **more: Any) -> dict[str, Any]:
    return {"action": action, "rule": rule.model_dump(mode="json"), "by": "mara", "at": f"2026-03-{day:02}T12:00:00Z", **more}


def tell(path: Path, *events: dict[str, Any], slug: str = "search_synonyms") -> Result:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return run("tell", slug, "--input", path, "--json")


def told(path: Path, *events: dict[str, Any], slug: str = "search_synonyms") -> dict[str, Any]:
    result = tell(path, *events, slug=slug)
    return dict(json.loads(result.stdout))


def test_a_rule_is_proposed_approved_published_exported_and_demoted(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    (entry,) = rules("contains=settee")
    assert (entry["status"], entry["evidence"]["users"]) == ("proposed", 40)
    assert told(path, decision("approve"), decision("publish", day=3))["accepted"] == 2
    assert [entry["status"] for entry in rules("status=published")] == ["published"]
    assert json.loads(ask("export", "format=elasticsearch"))["synonyms_set"][0]["synonyms"] == "settee => settee, sofa"
    assert ask("export", "format=solr").endswith("\nsettee => settee, sofa\n")
    told(path, decision("demote", day=4, note="we sell settees now"))
    assert [entry["status"] for entry in rules("contains=settee")] == ["demoted"]


def test_a_file_that_is_told_twice_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    assert told(path, decision("approve")) == {"accepted": 1, "repeated": 0, "refused": {}}
    assert told(path, decision("approve")) == {"accepted": 0, "repeated": 1, "refused": {}}
    assert told(path, {**decision("approve"), "event_id": "mine"})["accepted"] == 1


def test_what_an_import_would_change_is_told_as_it_is(tmp_path: Path) -> None:
    asked = ["format=solr", "text=ac => ac, air conditioner", "by=mara", "at=2026-03-02T12:00:00Z", "publish=true"]
    events = json.loads(ask("import_rules", *asked))["answer"]["events"]
    assert told(tmp_path / "events.jsonl", *events)["accepted"] == len(events)
    assert [entry["rule"]["left"] for entry in rules("status=published")] == ["ac"]


def test_a_table_of_events_is_told_and_what_the_model_cannot_take_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "likes.csv"
    path.write_text("who,topic,action\nada,jazz,like\nada,blues,like\n")
    result = run("tell", "interest_graph", "--input", path, "--map", "user_id=who")
    assert (result.exit_code, result.stdout.strip()) == (0, f"{path}: 2 events kept, 0 known already, 0 refused")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("ask", "churn", "rules"), "expected a question that churn answers"),
        (("ask", "search_synonyms", "rulez"), "(rules, export, import_rules, complete, gaps, groups), got 'rulez'"),
        (("ask", "search_synonyms", "rules", "--set", "limit=many"), "limit"),
        (("ask", "search_synonyms", "rules", "--set", "contains=[1"), "contains: expected what begins with a bracket to be JSON"),
        (("tell", "churn", "--input", "events.csv"), "expected a model that learns from events, got churn"),
        (("tell", "search_synonyms", "--input", "nothing.csv"), "expected a file at nothing.csv, found none"),
    ],
)
def test_what_cannot_be_asked_or_told_is_refused(arguments: tuple[str, ...], expected: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_broken_decision_is_refused_with_its_row(tmp_path: Path) -> None:
    result = tell(tmp_path / "decisions.jsonl", decision("approve"), decision("aprove"))
    assert result.exit_code == 2
    assert "decisions.jsonl, row 2, column action" in result.stderr
