"""Models that learn between trainings: what every worker knows is the version and each stored event after it, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import httpx
import pytest

from models.environment import environment
from models.interest_graph import InterestGraph, InterestGraphEvent, InterestGraphQuery
from serving.answers import OnlineStatus
from serving.champions import Champions
from serving.online import Online, Replica, Snapshots
from serving.online.compact import begin, compact
from serving.online.replica import PORTION
from serving.registry import Registry, Version
from serving.store import NewEvent, Store
from tests.registered import graph, register
from tests.test_serving import serving
from tests.waiting import IDLE_PATIENCE_SECONDS, eventually

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


def test_every_worker_learns_what_is_stored(store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    workers = [worker(), worker()]
    events = [event(n, user=f"u{n % 3}") for n in range(3 * PORTION)]
    store.append(SLUG, events)
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
    with Snapshots(home, SLUG).alone() as lock:
        assert lock is not None
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
    eventually(lambda: bool(snapshots(home)), IDLE_PATIENCE_SECONDS)
    following.stop()
    assert Snapshots(home, SLUG).newest(found, 0)[1] == 12


def has_applied(following: Online, count: int) -> bool:
    status = following.status(SLUG)
    return status is not None and status.events_applied == count


def test_of_several_workers_one_has_a_snapshot_made(home: Path, store: Store, worker: Callable[[], Champions]) -> None:
    register(graph())
    worker()
    store.append(SLUG, [event(1)])
    first = begin(version_of("1"), Snapshots(home, SLUG))
    assert first is not None
    assert begin(version_of("1"), Snapshots(home, SLUG)) is None
    first.kill()
    first.wait()
    again = begin(version_of("1"), Snapshots(home, SLUG))
    assert again is not None, "a process that was killed holds up nobody"
    assert again.wait(IDLE_PATIENCE_SECONDS) == 0
    assert [path.name.rpartition("-")[2] for path in snapshots(home)] == ["1"]


def test_however_much_is_stored_snapshots_are_made_seldom(home: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    register(graph())
    Champions([SLUG], environment()).refresh()
    begun: list[int] = []
    monkeypatch.setattr("serving.online.compact.begin", lambda version, snapshots: begun.append(store.newest(SLUG)))
    following = Online(store, home, lambda: None, snapshot_events=10)
    following.exchange(version_of("1"), Registry(environment()).read, lambda _: None)
    following.start()
    for count in (10, 20, 30):
        store.append(SLUG, [event(n) for n in range(count - 10, count)])
        eventually(partial(has_applied, following, count))
        eventually(lambda: bool(begun))
    following.stop()
    assert len(begun) == 1


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
    for portion in (events[:20], events[20:40], events[40:]):
        store.append(SLUG, portion)
        process = begin(version_of("1"), Snapshots(home, SLUG))
        assert process is not None
        eventually(partial(is_saving, process, home), IDLE_PATIENCE_SECONDS)
        process.kill()
        process.wait()
    champions = worker()
    eventually(lambda: has(champions, *events))
    assert compact(SLUG, "1", environment())
    assert not drafts(home)


def is_saving(process: subprocess.Popen[bytes], home: Path) -> bool:
    """Or has done so."""
    return drafts(home) or process.poll() is not None


def drafts(home: Path) -> bool:
    return any((home / "online" / SLUG).glob(".draft-*"))


def ask_all(address: str) -> dict[int, dict[str, Any]]:
    """What the workers say of the model, by process: connections of their own, several at once, reach both sooner or later."""
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: status_of_one(address), range(16)))
    return {body["process"]: body["models"][0]["online"] for body in answers if body is not None}


def status_of_one(address: str) -> Any:
    """`None` from a worker that is being killed."""
    try:
        with urlopen(f"{address.rstrip('/')}/v1/models", timeout=30) as response:  # noqa: S310 - our own server
            return json.load(response)
    except (OSError, HTTPException):
        return None


def settled(address: str, applied: int) -> dict[int, dict[str, Any]] | None:
    """By process, once two have learned so many events and hashed what they know."""
    seen = ask_all(address)
    done = len(seen) == 2 and all(each and each["events_applied"] == applied and each["state_sha256"] for each in seen.values())
    return seen if done else None


def once_settled(address: str, applied: int, gone: int | None = None) -> dict[int, dict[str, Any]]:
    """What is settled in the end, without the process that is gone."""
    found: dict[int, dict[str, Any]] = {}

    def is_so() -> bool:
        found.clear()
        found.update(settled(address, applied) or {})
        return bool(found) and gone not in found

    eventually(is_so)
    return found


def post(address: str, numbers: range) -> None:
    events = [{"event_id": f"e{n}", "event": json.loads(event(n, user=f"u{n % 5}").body)} for n in numbers]
    response = httpx.post(f"{address}/v1/{SLUG}/events", json={"events": events}, timeout=30)
    assert response.json()["accepted"] == len(numbers), response.text


def test_two_processes_learn_what_one_was_told_and_a_killed_one_comes_back_the_same(home: Path) -> None:
    register(graph())
    with serving((SLUG,), BENTOML_CONFIG_OPTIONS="services.foretell.workers=2") as client:
        address = str(client.base_url)
        once_settled(address, 0)
        post(address, range(1_000))
        before = once_settled(address, 1_000)
        assert len({each["state_sha256"] for each in before.values()}) == 1

        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        post(address, range(1_000, 1_200))
        after = once_settled(address, 1_200, gone=victim)
        (state,) = {each["state_sha256"] for each in after.values()}
        assert state == learned(*(event(n, user=f"u{n % 5}") for n in range(1_200))).fingerprint()
    with serving((SLUG,)) as client:
        eventually(lambda: (online := client.get("/v1/models").json()["models"][0]["online"]) and online["state_sha256"] == state)
