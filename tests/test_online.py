"""Models that learn between trainings: what every worker knows is the version and each stored event after it, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.environment import environment
from models.interest_graph import InterestGraph, InterestGraphEvent, InterestGraphQuery
from serving.answers import OnlineStatus
from serving.champions import Champions
from serving.online import Online, Replica, Snapshots
from serving.online.compact import compact
from serving.online.replica import PORTION
from serving.registry import Registry, Version
from serving.store import NewEvent, Store
from tests.registered import graph, register
from tests.test_serving import serving

SLUG = "interest_graph"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(n: int, user: str = "ada", topic: str = "jazz", action: str = "view") -> NewEvent:
    body = InterestGraphEvent(user_id=user, topic=topic, action=action, timestamp=NOON + timedelta(minutes=n))
    return NewEvent(f"e{n}", user, body.model_dump_json())


def learned(*events: NewEvent) -> InterestGraph:
    return graph().update(InterestGraphEvent.model_validate_json(each.body) for each in events)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETELL_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("FORETELL_DATABASE_URL", raising=False)
    return tmp_path


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(environment().database_url)
    yield store
    store.close()


@pytest.fixture
def worker(home: Path) -> Iterator[Callable[[], Champions]]:
    """Starts workers, each with its own connection to the store, as processes have."""
    started = []

    def start() -> Champions:
        champions = Champions([SLUG], environment())
        champions.start()
        started.append(champions)
        eventually(lambda: not champions.missing())
        return champions

    yield start
    for champions in started:
        champions.stop()


def eventually(condition: Callable[[], bool], seconds: float = 15.0) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - began


def online(champions: Champions) -> OnlineStatus:
    (status,) = champions.status()
    assert status.online is not None
    return status.online


def has(champions: Champions, *events: NewEvent) -> bool:
    return online(champions).state_sha256 == learned(*events).fingerprint()


def actions(champions: Champions, user: str) -> int:
    answer = champions.answer(SLUG, [InterestGraphQuery(user_id=user)]).predictions[0]
    return sum(interest.actions for interest in [*answer.interests, *answer.rejected])


def version_of(number: str) -> Version:
    return Registry(environment()).resolve(SLUG, version=number)


def test_every_worker_learns_what_is_stored_within_two_seconds(store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    workers = [worker(), worker()]
    events = [event(n, user=f"u{n % 3}") for n in range(3 * PORTION)]
    store.append(SLUG, events)
    seconds = eventually(lambda: all(online(each).events_applied == len(events) for each in workers))
    assert seconds < 2.0
    eventually(lambda: all(has(each, *events) for each in workers))


def test_a_repeated_event_is_counted_once(store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    champions = worker()
    store.append(SLUG, [event(1), event(1)])
    store.append(SLUG, [event(1), event(2)])
    eventually(lambda: online(champions).events_applied == 2)
    assert actions(champions, "ada") == 2


def test_a_worker_that_starts_again_knows_the_same(store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    events = [event(n) for n in range(20)]
    store.append(SLUG, events[:10])
    first = worker()
    store.append(SLUG, events[10:])
    eventually(lambda: has(first, *events))
    again = worker()
    eventually(lambda: online(again) == online(first))


def test_events_that_a_version_cannot_take_are_passed_over_and_counted(store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    champions = worker()
    store.append(SLUG, [event(1), event(2, action="zap"), NewEvent("e3", "ada", '{"colour": "red"}'), event(4)])
    eventually(lambda: has(champions, event(1), event(4)))
    assert (online(champions).events_applied, online(champions).events_refused) == (2, 2)


def test_a_new_champion_has_all_that_the_one_before_knew(
    store: Store, worker: Callable[[], Champions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETELL_RELOAD_SECONDS", "0.1")
    register(graph())
    champions = worker()
    counts: list[int] = []
    for n in range(400):
        store.append(SLUG, [event(n)])
        if n == 100:
            register(graph(seed=1))
        counts.append(actions(champions, "ada"))
    eventually(lambda: champions.status()[0].version == "2")
    eventually(lambda: actions(champions, "ada") == 400)
    assert counts == sorted(counts), "an event that was known was missing for a moment"


def test_a_version_that_was_trained_on_stored_events_learns_only_newer_ones(store: Store, worker: Callable[[], Champions]) -> None:
    events = [event(n) for n in range(10)]
    store.append(SLUG, events[:6])
    register(learned(*events[:6]), tags={"absorbed": f"{store.identity()}:{store.newest(SLUG)}"})
    champions = worker()
    store.append(SLUG, events[6:])
    eventually(lambda: has(champions, *events))
    assert online(champions).events_applied == 4


def test_numbers_of_another_store_mean_nothing(store: Store, worker: Callable[[], Champions]) -> None:
    """Somebody moved to another database, where numbers begin again."""
    register(graph(), tags={"absorbed": "another:5"})
    store.append(SLUG, [event(n) for n in range(3)])
    assert online(worker()).events_applied == 3


def snapshots(home: Path) -> list[Path]:
    return sorted((home / "online" / SLUG).glob("*-*-*"))


def test_a_snapshot_spares_the_replay_and_changes_nothing(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    first = worker()
    events = [event(n, topic=f"t{n % 7}") for n in range(30)]
    store.append(SLUG, events[:20])
    assert compact(SLUG, "1", environment())
    assert [path.name.rpartition("-")[2] for path in snapshots(home)] == ["20"]
    store.append(SLUG, events[20:])
    replica = Replica.build(version_of("1"), not_to_be_read, store, Snapshots(home, SLUG))
    assert (replica.watermark, replica.applied) == (20, 20)
    replica.catch_up(store)
    eventually(lambda: has(first, *events))
    assert (replica.model.fingerprint(), replica.applied) == (online(first).state_sha256, 30)
    assert compact(SLUG, "1", environment())
    assert [path.name.rpartition("-")[2] for path in snapshots(home)] == ["30"], "the older one is of no use"


def not_to_be_read(_: Version) -> Any:
    raise AssertionError("expected the snapshot to be read")


@pytest.mark.parametrize("damaged", ["snapshot.json", "model/names.json", "model/ledger.npz"])
def test_a_damaged_snapshot_is_passed_over(home: Path, store: Store, worker: Callable[[], Champions], damaged: str) -> None:
    register(graph())
    events = [event(n) for n in range(5)]
    store.append(SLUG, events)
    worker()
    compact(SLUG, "1", environment())
    (folder,) = snapshots(home)
    data = bytearray((folder / damaged).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / damaged).write_bytes(data)
    champions = worker()
    eventually(lambda: has(champions, *events))


def test_a_snapshot_of_a_store_that_is_gone_is_passed_over(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    store.append(SLUG, [event(n) for n in range(5)])
    worker().stop()
    compact(SLUG, "1", environment())
    store.close()
    for path in home.glob("store.db*"):
        path.unlink()
    fresh = Store(environment().database_url)
    fresh.append(SLUG, [event(n) for n in range(100, 103)])
    champions = worker()
    eventually(lambda: has(champions, *(event(n) for n in range(100, 103))))
    fresh.close()


def test_one_process_makes_snapshots_at_a_time(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    worker()
    store.append(SLUG, [event(1)])
    with Snapshots(home, SLUG).alone() as mine:
        assert mine
        assert not compact(SLUG, "1", environment())
    assert compact(SLUG, "1", environment())


def test_a_worker_has_snapshots_made(home: Path, store: Store) -> None:
    register(graph())
    Champions([SLUG], environment()).refresh()
    following = Online(store, home, lambda: None, snapshot_events=10)
    found = version_of("1")
    following.exchange(found, Registry(environment()).read, lambda _: None)
    following.start()
    store.append(SLUG, [event(n) for n in range(12)])
    eventually(lambda: bool(snapshots(home)), seconds=60)
    following.stop()
    assert Snapshots(home, SLUG).newest(found, 0)[1] == 12


def test_somebody_who_is_forgotten_is_soon_unknown_to_every_worker(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    workers = [worker(), worker()]
    store.append(SLUG, [event(1), event(2, user="bob"), event(3)])
    compact(SLUG, "1", environment())
    eventually(lambda: all(actions(each, "ada") == 2 for each in workers))
    store.forget("ada")
    eventually(lambda: all(actions(each, "ada") == 0 for each in workers))
    eventually(lambda: all(has(each, event(2, user="bob")) for each in workers))
    assert compact(SLUG, "1", environment())
    assert [path.name.split("-")[1] for path in snapshots(home)] == ["1"], "snapshots of the epoch before are gone"


def test_without_its_store_a_worker_answers_with_what_was_trained_and_says_so(
    home: Path, worker: Callable[[], Champions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETELL_RELOAD_SECONDS", "0.2")
    register(graph())
    (home / "store.db").mkdir()  # no database can be opened there
    champions = worker()
    assert actions(champions, "u1") == 2
    eventually(lambda: "store" in str(champions.status()[0].problem))
    (home / "store.db").rmdir()
    store = Store(environment().database_url)
    store.append(SLUG, [event(1, user="u1")])
    eventually(lambda: actions(champions, "u1") == 3)
    assert champions.status()[0].problem is None
    store.close()


def test_a_process_that_is_killed_leaves_nothing_that_matters(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    """While it saves a snapshot, even."""
    register(graph())
    worker()
    events = [event(n) for n in range(50)]
    store.append(SLUG, events)
    command = [sys.executable, "-m", "serving.online.compact", SLUG, "1"]
    for delay in (0.3, 0.8, 1.2):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[1], env=os.environ)
        time.sleep(delay)
        process.kill()
        process.wait()
    champions = worker()
    eventually(lambda: has(champions, *events))
    assert compact(SLUG, "1", environment()) or snapshots(home)
    assert not list((home / "online" / SLUG).glob(".draft-*"))


def ask_all(address: str) -> dict[int, dict[str, Any]]:
    """What the workers say of the model, by process: connections of their own, several at once, reach both sooner or later."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: httpx.get(f"{address}/v1/models", timeout=10), range(16)))
    return {body["process"]: body["models"][0]["online"] for body in (answer.json() for answer in answers if answer.status_code == 200)}


def settled(address: str, applied: int) -> dict[int, dict[str, Any]] | None:
    """By process, once two have learned so many events and hashed what they know."""
    seen = ask_all(address)
    done = len(seen) == 2 and all(each and each["events_applied"] == applied and each["state_sha256"] for each in seen.values())
    return seen if done else None


def post(address: str, numbers: range) -> None:
    events = [{"event_id": f"e{n}", "event": json.loads(event(n, user=f"u{n % 5}").body)} for n in numbers]
    response = httpx.post(f"{address}/v1/{SLUG}/events", json={"events": events}, timeout=30)
    assert response.json()["accepted"] == len(numbers), response.text


def test_two_processes_learn_what_one_was_told_and_a_killed_one_comes_back_the_same(home: Path) -> None:
    register(graph())
    with serving((SLUG,), BENTOML_CONFIG_OPTIONS="services.foretell.workers=2") as client:
        address = str(client.base_url)
        eventually(lambda: settled(address, 0) is not None, seconds=60)
        post(address, range(1_000))
        assert eventually(lambda: len({each["watermark"] for each in ask_all(address).values()} - {1_000}) == 0) < 2.0
        eventually(lambda: settled(address, 1_000) is not None)
        before = settled(address, 1_000)
        assert before is not None
        assert len({each["state_sha256"] for each in before.values()}) == 1

        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        post(address, range(1_000, 1_200))
        eventually(lambda: (seen := settled(address, 1_200)) is not None and victim not in seen, seconds=60)
        after = settled(address, 1_200)
        assert after is not None
        (state,) = {each["state_sha256"] for each in after.values()}
        assert state == learned(*(event(n, user=f"u{n % 5}") for n in range(1_200))).fingerprint()
    with serving((SLUG,)) as client:
        eventually(lambda: (online := client.get("/v1/models").json()["models"][0]["online"]) and online["state_sha256"] == state)
