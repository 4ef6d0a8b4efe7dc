"""Versions reach this machine whole or not at all, and the last good one answers when the registry does not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from models.environment import environment
from models.errors import RegistryError, TamperedError, UnknownModelError
from models.interest_graph import InterestGraphPrediction, InterestGraphQuery
from serving import registry
from serving.champions import Champions, NotLoadedError
from serving.online import purge_caches
from tests.registered import graph, register

SLUG = "interest_graph"
NOBODY = InterestGraphQuery(user_id="nobody", k=1)


def favourite(champions: Champions) -> str:
    answer = champions.answer(SLUG, [NOBODY])
    prediction = answer.predictions[0]
    assert isinstance(prediction, InterestGraphPrediction)
    return prediction.recommendations[0].topic


def away() -> Champions:
    """What a server sees whose registry is gone: nothing listens on port 9 of this machine."""
    return Champions([SLUG], replace(environment(), tracking_uri="http://127.0.0.1:9"))


def spoil(folder: Path) -> None:
    part = next(path for path in sorted(folder.iterdir()) if path.name != "manifest.json")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.unlink()  # it may be a hard link to the registry's own
    part.write_bytes(content)


def test_a_fetched_version_is_the_registered_one(home: Path) -> None:
    version, _ = register(graph("jazz"))
    model, found = registry.load(SLUG)
    assert model.predict([NOBODY]) == graph("jazz").predict([NOBODY])
    assert (found.version, found.metrics, found.tags["rows"]) == (version, {"ndcg_at_10": 0.5}, "16")
    assert registry.fetch(SLUG) == home / "served" / SLUG / version / "model"


def test_a_version_can_be_named_by_number(home: Path) -> None:
    first, _ = register(graph("jazz"))
    register(graph("chess"))
    assert registry.load(SLUG, version=first)[0].predict([NOBODY]) == graph("jazz").predict([NOBODY])


def test_a_second_fetch_downloads_nothing(home: Path) -> None:
    register(graph())
    before = registry.fetch(SLUG).stat().st_ino
    assert registry.fetch(SLUG).stat().st_ino == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({}, "has no @champion"), ({"alias": "challenger"}, "has no @challenger"), ({"version": "7"}, "has no version 7")],
)
def test_what_is_not_registered_is_named(home: Path, arguments: dict[str, str], message: str) -> None:
    register(graph(), champion=False)
    with pytest.raises(RegistryError, match=f"{SLUG} {message}.*foretell train {SLUG}"):
        registry.fetch(SLUG, **arguments)


def test_reading_creates_no_database(home: Path) -> None:
    with pytest.raises(RegistryError, match="found no such file: run foretell train"):
        registry.fetch(SLUG)
    assert [path.name for path in home.iterdir()] == ["encoders"]


def test_an_unknown_slug_is_refused_before_the_registry_is_asked(home: Path) -> None:
    with pytest.raises(UnknownModelError, match="got 'chrun'"):
        registry.fetch("chrun")


def test_a_registry_that_is_away_is_one_sentence_without_its_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:9")
    with pytest.raises(RegistryError, match="cannot be read") as caught:
        registry.fetch(SLUG)
    assert "secret" not in str(caught.value)


def test_a_spoiled_local_copy_is_downloaded_again(home: Path) -> None:
    register(graph("jazz"))
    spoil(registry.fetch(SLUG))
    assert registry.load(SLUG)[0].predict([NOBODY]) == graph("jazz").predict([NOBODY])


def test_a_version_that_was_spoiled_in_the_registry_is_refused(home: Path) -> None:
    spoil(register(graph())[1])
    with pytest.raises(TamperedError):
        registry.load(SLUG)


def test_a_version_registered_by_something_else_is_refused(home: Path) -> None:
    version, _ = register(graph())
    from mlflow import MlflowClient

    uri = environment().tracking_uri
    MlflowClient(uri, uri).delete_model_version_tag(SLUG, version, "manifest_sha256")
    with pytest.raises(RegistryError, match="lacks the tags manifest_sha256"):
        registry.fetch(SLUG)


def test_a_newer_champion_takes_over_and_one_older_version_is_kept(home: Path) -> None:
    champions = Champions([SLUG], environment())
    for topic in ("jazz", "chess", "opera"):
        register(graph(topic))
        champions.refresh()
        assert favourite(champions) == topic
    assert sorted(path.name for path in (home / "served" / SLUG).iterdir()) == ["2", "3", "current"]


def test_a_spoiled_newer_champion_does_not_take_over(home: Path) -> None:
    register(graph("jazz"))
    champions = Champions([SLUG], environment())
    champions.refresh()
    spoil(register(graph("chess"))[1])
    champions.refresh()
    assert favourite(champions) == "jazz"
    status = champions.status()[0]
    assert (status.ready, status.version, status.source) == (True, "1", "registry")
    assert "changed since it was saved" in str(status.problem)


def test_without_the_registry_the_last_good_version_answers_and_says_why(home: Path) -> None:
    register(graph("jazz"))
    Champions([SLUG], environment()).refresh()
    champions = away()
    champions.refresh()
    assert favourite(champions) == "jazz"
    status = champions.status()[0]
    assert (status.version, status.source, status.trained_at) == ("1", "disk", "2026-01-02T03:04:05+00:00")
    assert "cannot be read" in str(status.problem)


def test_a_spoiled_last_good_version_gives_way_to_the_one_before(home: Path) -> None:
    champions = Champions([SLUG], environment())
    for topic in ("jazz", "chess"):
        register(graph(topic))
        champions.refresh()
    spoil(home / "served" / SLUG / "2" / "model")
    restarted = away()
    restarted.refresh()
    assert favourite(restarted) == "jazz"


def test_when_the_registry_returns_its_champion_takes_over(home: Path) -> None:
    register(graph("jazz"))
    champions = Champions([SLUG], environment())
    champions.refresh()
    moved = home / "mlflow.db"
    moved.rename(home / "away.db")
    restarted = Champions([SLUG], environment())
    restarted.refresh()
    assert restarted.status()[0].source == "disk"
    (home / "away.db").rename(moved)
    restarted.refresh()
    assert (restarted.status()[0].source, restarted.status()[0].problem) == ("registry", None)


def test_what_was_purged_from_disk_is_fetched_again_while_the_same_version_answers(home: Path) -> None:
    register(graph("jazz"))
    champions = Champions([SLUG], environment())
    champions.refresh()
    purge_caches(home)
    champions.refresh()
    assert not champions.status()[0].problem
    later = away()
    later.refresh()
    assert favourite(later) == "jazz"


def test_without_any_version_it_says_what_to_do(home: Path) -> None:
    champions = Champions([SLUG], environment())
    champions.refresh()
    with pytest.raises(NotLoadedError, match=f"{SLUG} is not loaded: .*foretell train"):
        champions.answer(SLUG, [NOBODY])
    assert not champions.status()[0].ready


def test_mlflow_is_imported_only_when_it_is_asked() -> None:
    heavy = ("mlflow", "torch", "sentence_transformers")
    code = f"import json, sys, serving.service; print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == []
