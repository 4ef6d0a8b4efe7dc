"""Notifications over HTTP: what is acknowledged changes the next score in every worker, and nothing depends on who answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.registered import register
from tests.test_notification import NOON, ask, sent, small
from tests.test_serving import serving
from tests.waiting import eventually


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two workers that answer with a small model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("FORETELL_DATABASE_URL", raising=False)
        register(small())
        with serving(("notification",), BENTOML_CONFIG_OPTIONS="services.foretell.workers=2") as client:
            eventually(lambda: len(workers(str(client.base_url))) == 2)
            yield str(client.base_url)


def from_all(ask: Callable[[], Any]) -> list[Any]:
    """The answers of connections of their own, several at once: they reach both workers."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda _: ask(), range(16)))


def workers(address: str) -> dict[int, dict[str, Any]]:
    """What each worker says of the model, by process."""
    found = from_all(lambda: httpx.get(f"{address}/v1/models", timeout=30).json())
    return {body["process"]: body["models"][0]["online"] for body in found}


def learned_by_both(address: str, watermark: int) -> None:
    """Wait until each worker was heard to have read so many events."""

    def told() -> bool:
        found = workers(address)
        return len(found) == 2 and all(each["watermark"] >= watermark for each in found.values())

    eventually(told)


def watermark(address: str) -> int:
    return max(int(each["watermark"]) for each in workers(address).values())


def probability(address: str, user: str) -> float:
    query = {"user_id": user, "type": "Social", "at": (NOON + timedelta(hours=1)).isoformat()}
    (prediction,) = httpx.post(f"{address}/v1/notification", json={"queries": [query]}, timeout=30).json()["predictions"]
    assert prediction["propensity"] == prediction["propensities"][prediction["decision"]]
    return float(prediction["probability"])


def tell(address: str, **events: Any) -> None:
    body = {"events": [{"event_id": name, "event": event.model_dump(mode="json")} for name, event in events.items()]}
    receipt = httpx.post(f"{address}/v1/notification/events", json=body, timeout=30).json()
    assert receipt["accepted"] == len(events), receipt


def test_an_acknowledged_click_changes_the_next_score_in_every_worker(address: str) -> None:
    (before,) = set(from_all(lambda: probability(address, "ada")))
    seen = watermark(address)
    tell(address, one=sent("ada", clicked=True, happened_at=NOON + timedelta(minutes=1)))
    acknowledged = time.monotonic()
    learned_by_both(address, seen + 1)
    print(f"both workers had learned {time.monotonic() - acknowledged:.2f} seconds after the acknowledgement")
    (after,) = set(from_all(lambda: probability(address, "ada")))
    assert after > before
    model = small().update([sent("ada", clicked=True, happened_at=NOON + timedelta(minutes=1))])
    assert after == pytest.approx(ask(model, "ada", at=NOON + timedelta(hours=1)).probability)


def test_a_digest_is_closed_once_and_is_the_same_in_every_worker(address: str) -> None:
    item = {"item_id": "i1", "about": "photo", "actor": "Ann"}
    event = {"user_id": "bob", "type": "Social", "sent_at": NOON.isoformat(), "decision": "digest", "item": item}
    seen = watermark(address)
    body = {"events": [{"event_id": "put", "event": event}]}
    assert httpx.post(f"{address}/v1/notification/events", json=body, timeout=30).json()["accepted"] == 1

    def digest() -> dict[str, Any]:
        asked = {"user_id": "bob", "at": (NOON + timedelta(hours=7)).isoformat()}
        return dict(httpx.get(f"{address}/v1/notification/digest", params=asked, timeout=30).json()["answer"])

    learned_by_both(address, seen + 1)
    found = digest()
    assert [entry["who"] for entry in found["entries"]] == ["Ann"]
    closing = {"user_id": "bob", "type": "digest", "sent_at": found["slot_at"], "decision": "digest", "closing": found["closing"]}
    for accepted in (1, 0):
        body = {"events": [{"event_id": found["digest_id"], "event": closing}]}
        assert httpx.post(f"{address}/v1/notification/events", json=body, timeout=30).json()["accepted"] == accepted
    learned_by_both(address, seen + 2)
    assert all(each == {**found, "closed": True} for each in from_all(digest))


def test_an_event_from_the_future_is_refused_alone(address: str) -> None:
    now = datetime.now(UTC)
    told = [sent("eve"), sent("eve", at=now + timedelta(days=400)), sent("eve", happened_at=now + timedelta(hours=1))]
    body = {"events": [{"event_id": f"eve {n}", "event": event.model_dump(mode="json")} for n, event in enumerate(told)]}
    receipt = httpx.post(f"{address}/v1/notification/events", json=body, timeout=30).json()
    assert (receipt["accepted"], [each["index"] for each in receipt["refused"]]) == (1, [1, 2])
    assert receipt["refused"][0]["error"].startswith("event.sent_at: expected an instant before now")
    assert receipt["refused"][1]["error"].startswith("event.happened_at: expected an instant before now")


def test_a_policy_is_refused_over_http_with_a_sentence(address: str) -> None:
    row = {"user_id": "ada", "type": "Social", "sent_at": NOON.isoformat(), "clicked": True, "propensity": 1.0}
    body = {"log": [row], "set": {"threshold": 0.2}}
    answer = httpx.post(f"{address}/v1/notification/evaluate_policy", json=body, timeout=30).json()["answer"]
    assert (answer["value"], answer["overlap"]["decisions"]) == (None, 1)
    assert "100 is the least" in answer["refused"]
    wrong = httpx.post(f"{address}/v1/notification/evaluate_policy", json={"log": [row], "set": {"treshold": 1}}, timeout=30)
    assert (wrong.status_code, "got treshold" in wrong.json()["error"]) == (400, True)
