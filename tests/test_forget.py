"""After ``foretell data forget`` a person is in no file and no table, and no server knows them."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from mlflow import MlflowClient
from typer.testing import CliRunner

import foretell
from models.environment import environment
from models.interest_graph import InterestGraphEvent
from models.rows import read_rows
from serving.online.compact import compact
from serving.store import NewEvent, Store
from tests.registered import graph, register
from tests.test_serving import serving
from tests.waiting import eventually
from training import tracking
from training.run import sample_of

SLUG = "interest_graph"
WHO = "ingrid.bergstroem-7391"
DIARY = "what only ingrid cares about"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def naming(home: Path, *words: str) -> list[str]:
    """Every file below a folder that names somebody: as it is, and inside zip (npz) and gzip."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    return [str(path.relative_to(home)) for path in files if any(word.encode() in data for data in contents(path) for word in words)]


def contents(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield data
    yield os.fsencode(path.name)
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def command(*arguments: str) -> Any:
    done = CliRunner().invoke(foretell.app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def event(number: int, user: str, topic: str) -> InterestGraphEvent:
    return InterestGraphEvent(user_id=user, topic=topic, action="like", timestamp=NOON + timedelta(hours=number))


def post(client: httpx.Client, *events: InterestGraphEvent) -> None:
    items = [{"event_id": f"{each.user_id} {each.timestamp}", "event": each.model_dump(mode="json")} for each in events]
    assert client.post(f"/v1/{SLUG}/events", json={"events": items}).json()["accepted"] == len(events)


def ask(client: httpx.Client, user: str) -> Any:
    return client.post(f"/v1/{SLUG}", json={"queries": [{"user_id": user, "k": 1_000}]}).json()["predictions"][0]


def test_a_forgotten_person_is_nowhere(registry: MlflowClient, home: Path) -> None:
    store = Store(environment().database_url)
    rows = list(read_rows(sample_of(SLUG), InterestGraphEvent))
    early = [event(number, WHO, topic) for number, topic in enumerate(["hiking", "photography", DIARY])]
    store.append(SLUG, [NewEvent(f"e{number}", row.user_id, row.model_dump_json()) for number, row in enumerate([*rows, *early])])
    store.close()
    command("train", SLUG, "--from-feedback")
    with serving((SLUG,), FORETELL_RELOAD_SECONDS="1") as client:
        post(client, event(900, WHO, "hiking"), event(901, "u001", "hiking"))
        eventually(lambda: ask(client, WHO)["interests"][0]["actions"] == 2)
        assert compact(SLUG, "1", environment())
        assert {Path(name).parts[0] for name in naming(home, WHO)} >= {"artifacts", "online", "served", "store.db"}
        friend = ask(client, "u001")

        answer = command("data", "forget", "--user", WHO)
        assert answer["dropped"]["events"] == 4
        assert answer["replaced"] == ["interest_graph version 1 by 2"]
        eventually(lambda: not ask(client, WHO)["known"])
        eventually(lambda: client.get("/v1/models").json()["models"][0]["version"] == "2")
        assert ask(client, "u001")["interests"] == friend["interests"]
        assert naming(home, WHO, DIARY) == []

        post(client, event(902, "u001", "hiking"))  # what is learned and saved from now on does not bring them back
        eventually(lambda: compact(SLUG, "2", environment()))
        assert naming(home, WHO, DIARY) == []
    assert command("data", "forget", "--user", WHO) == {
        "user": WHO,
        "dropped": {"feedback": 0, "predictions": 0, "events": 0},
        "replaced": [],
    }


def test_versions_that_knew_a_person_are_replaced_in_every_role_and_others_stay(registry: MlflowClient, home: Path) -> None:
    for seed in range(3):
        register(graph(seed=seed), champion=False, tags={"data": "rows.csv"})
    for version in (1, 2):
        tracking.promote(SLUG, version)
    assert tracking.forget("nobody") == []
    assert [(each.slug, each.old, each.new) for each in tracking.forget("u1")] == [(SLUG, str(n), str(n + 3)) for n in (1, 2, 3)]
    assert {int(each.version) for each in registry.search_model_versions(f"name = '{SLUG}'")} == {4, 5, 6}
    assert int(registry.get_model_version_by_alias(SLUG, "champion").version) == 5
    assert tracking.rollback(SLUG).version == 4
    assert naming(home, '"u1"') == []
    assert tracking.forget("u1") == []
