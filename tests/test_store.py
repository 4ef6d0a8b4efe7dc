"""The store, the same on both databases: durable, once each, in one order for everybody, gone when it must be gone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, inspect

from models.churn import ChurnPrediction, ChurnQuery
from models.errors import InputError, StoreError
from models.instants import to_datetime, to_microseconds
from serving.store import NewEvent, NewFeedback, NewPrediction, Status, Store, StoredEvent
from serving.store.database import LOCK_SECONDS
from serving.store.keeping import CHUNK
from serving.store.tables import METADATA, REVISION
from serving.store.writer import MAX_WAITING, PATIENCE_SECONDS, Writer
from tests.databases import postgres_schema

SLUG, OTHER = "interest_graph", "notification"
NOW = datetime.now(UTC)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url)
    yield store
    store.close()


def event(name: str, subject: str | None = None, body: str = "{}") -> NewEvent:
    return NewEvent(name, subject, body)


def names(events: list[StoredEvent]) -> list[str]:
    return [each.event_id for each in events]


def all_names(store: Store, slug: str = SLUG) -> list[str]:
    return names(store.since(slug, 0, limit=1_000_000))


def prediction(name: str, subject: str | None = None, at: datetime = NOW) -> NewPrediction:
    query = ChurnQuery(customer_id=subject, features={"plan": "plus"})
    answer = ChurnPrediction(prediction_id=name, customer_id=subject, probability=0.5)
    return NewPrediction(name, "churn", subject, at, query.model_dump_json(), answer.model_dump_json())


def feedback(name: str, outcome: object = True, *, hours: float = 1, predicted_at: datetime = NOW) -> NewFeedback:
    return NewFeedback(name, "churn", predicted_at, json.dumps(outcome), predicted_at + timedelta(hours=hours))


def test_what_is_appended_is_read_in_order_with_all_it_says(store: Store) -> None:
    before = datetime.now(UTC)
    assert store.append(SLUG, [event("a", "u1", '{"é": "\\u0000"}'), event("b")]) == [True, True]
    first, second = store.since(SLUG, 0)
    assert (first.event_id, first.body, second.event_id) == ("a", '{"é": "\\u0000"}', "b")
    assert first.seq < second.seq == store.newest(SLUG)
    assert before <= first.received_at <= datetime.now(UTC)


def test_a_repeated_id_changes_nothing_within_a_batch_and_between_batches(store: Store) -> None:
    assert store.append(SLUG, [event("a", body="1"), event("b"), event("a", body="2")]) == [True, True, False]
    assert store.append(SLUG, [event("b"), event("c")]) == [False, True]
    assert [each.body for each in store.since(SLUG, 0)] == ["1", "{}", "{}"]


def test_an_id_is_unique_per_slug(store: Store) -> None:
    assert store.append(SLUG, [event("a")]) == store.append(OTHER, [event("a")]) == [True]
    assert all_names(store) == all_names(store, OTHER) == ["a"]


def test_no_events_are_a_batch_too(store: Store) -> None:
    assert store.append(SLUG, []) == []
    assert store.since(SLUG, 0) == []
    assert store.newest(SLUG) == store.epoch(SLUG) == 0


def test_the_largest_batch_is_kept_and_read_in_pages(store: Store) -> None:
    assert all(store.append(SLUG, [event(f"e{n}") for n in range(10_000)]))
    read, watermark = [], 0
    while page := store.since(SLUG, watermark, limit=3_000):
        read += names(page)
        watermark = page[-1].seq
    assert read == [f"e{n}" for n in range(10_000)]


def test_what_was_acknowledged_survives_the_death_of_the_process(database_url: str) -> None:
    script = """
import os, sys
from serving.store import NewEvent, Store
Store(sys.argv[1]).append("interest_graph", [NewEvent("a", None, "{}")])
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script, database_url]).returncode == -9
    again = Store(database_url)
    assert all_names(again) == ["a"]
    again.close()


_APPEND_MANY = """
import sys
from serving.store import NewEvent, Store
store, who = Store(sys.argv[1]), sys.argv[2]
for n in range(25):
    store.append("interest_graph", [NewEvent(name, None, "{}") for name in (*(f"{who}-{n}-{k}" for k in range(4)), f"shared-{n}")])
store.close()
"""


def test_a_reader_never_misses_an_event_that_others_commit_while_it_reads(database_url: str) -> None:
    """Three processes open an empty database at once and write; a fourth follows by number."""
    writers = [subprocess.Popen([sys.executable, "-c", _APPEND_MANY, database_url, str(who)]) for who in range(3)]
    store, followed, watermark = Store(database_url), [], 0
    while any(writer.poll() is None for writer in writers) or store.newest(SLUG) > watermark:
        for each in store.since(SLUG, watermark, limit=50):
            followed.append(each.event_id)
            watermark = each.seq
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert followed == all_names(store)
    expected = {f"{who}-{n}-{k}" for who in range(3) for n in range(25) for k in range(4)} | {f"shared-{n}" for n in range(25)}
    assert len(followed) == len(expected)
    assert set(followed) == expected
    store.close()


def test_threads_that_append_at_once_each_hear_of_their_own(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda n: store.append(SLUG, [event(f"e{n % 40}"), event(f"own{n}")]), range(80)))
    assert all(own for _, own in told)
    assert sum(first for first, _ in told) == 40
    assert sorted(all_names(store)) == sorted([f"e{n}" for n in range(40)] + [f"own{n}" for n in range(80)])


def test_waiting_ends_soon_after_another_process_commits(store: Store, database_url: str) -> None:
    store.append(SLUG, [event("a")])
    while store.wait(0.1):
        pass
    other = Store(database_url)
    other.append(SLUG, [event("b")])  # opens
    while store.wait(0.1):
        pass
    timer = threading.Timer(0.2, other.append, (SLUG, [event("c")]))
    start = time.monotonic()
    timer.start()
    assert store.wait(10)
    assert time.monotonic() - start < 2
    assert not store.wait(0.1)
    other.close()


def test_an_outcome_is_joined_to_its_prediction(store: Store) -> None:
    store.record([prediction("p1", "c1"), prediction("p2", "c2", NOW - timedelta(days=1))])
    assert store.report([feedback("p1"), feedback("p2", False)]) == ["stored", "stored"]
    second, first = store.observed("churn")
    assert (first.query.customer_id, first.prediction.probability, first.outcome) == ("c1", 0.5, True)
    assert (second.query.customer_id, second.outcome) == ("c2", False)
    assert first.predicted_at == to_datetime(to_microseconds(NOW))
    assert first.occurred_at - first.predicted_at == timedelta(hours=1)


def test_an_outcome_may_come_before_its_prediction_is_stored(store: Store) -> None:
    assert store.report([feedback("p1", predicted_at=datetime.now(UTC))]) == ["pending"]
    assert list(store.observed("churn")) == []
    store.record([prediction("p1")])
    assert [each.outcome for each in store.observed("churn")] == [True]


def test_an_outcome_of_what_was_never_predicted_is_unknown(store: Store) -> None:
    assert store.report([feedback("p1", predicted_at=NOW - timedelta(hours=1))]) == ["unknown"]
    assert store.report([feedback("p1", predicted_at=NOW - timedelta(hours=1))]) == ["unknown"]


@pytest.mark.parametrize(
    ("told", "statuses", "stays"),
    [
        ([(True, 1), (True, 1)], ["stored", "repeated"], True),
        ([(True, 1), (True, 2)], ["stored", "repeated"], True),
        ([(True, 1), (False, 2)], ["stored", "corrected"], False),
        ([(True, 1), (False, 1)], ["stored", "corrected"], False),
        ([(True, 2), (False, 1)], ["stored", "superseded"], True),
        ([(True, 1), (False, 3), (True, 2), (True, 4)], ["stored", "corrected", "superseded", "corrected"], True),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_of_several_outcomes_the_last_that_occurred_stays(
    store: Store, told: list[tuple[bool, float]], statuses: list[Status], stays: bool, together: bool
) -> None:
    store.record([prediction("p1")])
    items = [feedback("p1", outcome, hours=hours) for outcome, hours in told]
    assert (store.report(items) if together else [status for item in items for status in store.report([item])]) == statuses
    assert [each.outcome for each in store.observed("churn")] == [stays]


def test_a_prediction_that_is_recorded_again_stays_as_it_is(store: Store) -> None:
    store.record([prediction("p1", "c1")])
    store.record([prediction("p1", "c2"), prediction("p2", "c2")])
    store.report([feedback("p1"), feedback("p2")])
    assert [each.query.customer_id for each in store.observed("churn")] == ["c1", "c2"]


def test_a_prediction_of_an_earlier_form_is_left_out(store: Store) -> None:
    store.record([NewPrediction("p1", "churn", None, NOW, '{"of": "old"}', "{}"), prediction("p2")])
    store.report([feedback("p1"), feedback("p2")])
    assert [each.prediction.prediction_id for each in store.observed("churn")] == ["p2"]


def fill(store: Store) -> None:
    store.append(SLUG, [event("ann-likes", "ann", '{"user_id":"ann"}'), event("bob-likes", "bob", '{"user_id":"bob"}')])
    store.record([prediction("p1", "ann"), prediction("p2", "bob")])
    store.report([feedback("p1"), feedback("p2")])


def test_one_persons_data_can_be_taken_out_whole(store: Store) -> None:
    fill(store)
    found = store.export("ann")
    assert [len(rows) for rows in found.values()] == [1, 1, 1]
    assert found["events"][0]["body"] == {"user_id": "ann"}
    assert found["predictions"][0]["query"]["customer_id"] == "ann"
    assert found["feedback"][0]["outcome"] is True
    assert datetime.fromisoformat(found["events"][0]["received_at"]).tzinfo is not None
    assert "bob" not in json.dumps(found)
    assert store.export("carol") == {"events": [], "predictions": [], "feedback": []}


def test_whatever_a_person_is_called_is_kept_found_and_forgotten(store: Store) -> None:
    """PostgreSQL keeps no NUL in a text, and a client may send one."""
    odd = ["nul\0inside", "\0", "percent % quote ' \" backslash \\", "\u2028\U0001f600", " "]
    store.append(SLUG, [event(f"e{n}", who) for n, who in enumerate(odd)])
    store.record([prediction(f"p{n}", who) for n, who in enumerate(odd)])
    for who in odd:
        assert [len(rows) for rows in store.export(who).values()] == [1, 1, 0]
        assert store.forget(who) == {"events": 1, "predictions": 1, "feedback": 0}


def test_who_is_forgotten_is_in_no_table_and_begins_an_epoch(store: Store, database_url: str) -> None:
    fill(store)
    assert store.forget("ann") == {"events": 1, "predictions": 1, "feedback": 1}
    assert store.export("ann") == {"events": [], "predictions": [], "feedback": []}
    assert "ann" not in everything(database_url)
    assert "bob" in everything(database_url)
    assert store.epoch(SLUG) == store.epoch("churn") == 1
    assert store.forget("ann") == {"events": 0, "predictions": 0, "feedback": 0}
    assert store.epoch(SLUG) == 2
    assert all_names(store) == ["bob-likes"]


def test_an_old_event_does_not_bring_a_forgotten_person_back(store: Store) -> None:
    fill(store)
    newest = store.newest(SLUG)
    store.forget("bob")
    assert store.append(SLUG, [event("bob-likes", "bob"), event("new")]) == [False, True]
    assert store.newest(SLUG) == newest + 1  # the number of the newest, which was dropped, is not given again


def test_followers_hear_when_somebody_is_forgotten(store: Store, database_url: str) -> None:
    fill(store)
    while store.wait(0.1):
        pass
    other = Store(database_url)
    other.forget("ann")
    assert store.wait(2)
    other.close()


def test_on_sqlite_no_file_holds_who_was_forgotten(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    for n in range(300):  # so that pages fill, split and are freed
        store.append(
            SLUG, [event(f"{n}-{who}", f"{who}-{n % 3}", json.dumps({"who": f"{who}-{n % 3}" * (n % 40)})) for who in ("ann", "bob")]
        )
    for n in range(3):
        assert store.forget(f"ann-{n}")["events"] == 100
    contents = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"ann" not in contents
    assert b"bob" in contents
    store.close()


def everything(url: str) -> str:
    """All that all tables hold."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = [row for table in METADATA.sorted_tables for row in connection.execute(table.select())]
    engine.dispose()
    return repr(rows)


def test_age_drops_what_no_worker_needs_and_nothing_else(store: Store) -> None:
    store.append(SLUG, [event("a"), event("b")])
    absorbed = store.newest(SLUG)
    store.append(SLUG, [event("c")])
    store.append(OTHER, [event("d")])
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert store.expire(NOW - timedelta(days=1), {SLUG: absorbed})["events"] == 0
    assert store.expire(later, {SLUG: absorbed}) == {"events": 2, "predictions": 0, "feedback": 0}
    assert all_names(store) == ["c"]
    assert all_names(store, OTHER) == ["d"]
    assert store.append(SLUG, [event("a")]) == [False]


def test_age_drops_a_prediction_with_its_outcome(store: Store) -> None:
    long_ago = NOW - timedelta(days=400)
    store.record([prediction("old", at=long_ago), prediction("new")])
    store.report([feedback("old", predicted_at=long_ago), feedback("new"), feedback("never stored", predicted_at=datetime.now(UTC))])
    assert store.expire(NOW - timedelta(days=365), {}) == {"events": 0, "predictions": 1, "feedback": 0}
    assert [each.prediction.prediction_id for each in store.observed("churn")] == ["new"]
    assert store.report([feedback("old", predicted_at=long_ago)]) == ["unknown"]
    assert store.expire(datetime.now(UTC) + timedelta(seconds=1), {}) == {"events": 0, "predictions": 1, "feedback": 1}


def test_more_than_one_transaction_drops_what_is_too_old(store: Store) -> None:
    store.append(SLUG, [event(f"e{n}") for n in range(CHUNK + 10)])
    assert store.expire(datetime.now(UTC) + timedelta(seconds=1), {SLUG: store.newest(SLUG)})["events"] == CHUNK + 10
    assert all_names(store) == []


def test_the_migrations_lead_to_the_tables_that_the_code_uses(store: Store, database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    store.newest(SLUG)
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_a_store_that_is_up_to_date_opens_without_waiting_for_a_writer(store: Store, database_url: str) -> None:
    """Every command and every snapshot opens one: in a transaction that writes, each would hold up what clients report."""
    store.append(SLUG, [event("a")])
    with store._database.writing() as connection:
        store._database.one_at_a_time(connection)
        other = Store(database_url)
        assert all_names(other) == ["a"]
        other.close()


def test_a_store_of_a_newer_foretell_is_refused_in_one_sentence(store: Store, database_url: str) -> None:
    store.append(SLUG, [event("a")])
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    older = Store(database_url)
    with pytest.raises(StoreError, match=rf"was made by a newer Foretell: expected its tables at revision {REVISION} or before, got 9999"):
        older.newest(SLUG)
    older.close()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    from alembic.script import ScriptDirectory

    import serving.store.database as database

    assert ScriptDirectory(str(Path(database.__file__).parent / "migrations")).get_current_head() == REVISION


def test_migrations_can_be_taken_back(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    import serving.store.database as database

    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.newest(SLUG)
    store.close()
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{tmp_path / 'store.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert set(inspect(connection).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    engine.dispose()


@pytest.mark.parametrize("url", ["", "mysql://root@localhost/x", "sqlite://", "nonsense"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="expected FORETELL_DATABASE_URL as sqlite:///path or postgresql://"):
        Store(url)


def test_a_password_is_in_no_message() -> None:
    store = Store("postgresql://ann:secret@127.0.0.1:1/none")
    with pytest.raises(StoreError, match=r"cannot be used now") as caught:
        store.append(SLUG, [event("a")])
    assert "secret" not in str(caught.value)
    store.close()
    with pytest.raises(InputError) as refused:
        Store("mysql://ann:secret@localhost/none")
    assert "secret" not in str(refused.value)


def test_a_locked_file_is_a_prompt_error_and_then_works_again(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.append(SLUG, [event("a")])
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    with pytest.raises(StoreError, match="locked"):
        store.append(SLUG, [event("b")])
    assert LOCK_SECONDS <= time.monotonic() - start < PATIENCE_SECONDS
    assert all_names(store) == ["a"]  # reading goes on
    other.execute("ROLLBACK")
    assert store.append(SLUG, [event("b")]) == [True]
    other.close()
    store.close()


def appends(store: Store, name: str) -> bool:
    try:
        return store.append(SLUG, [event(name, body=json.dumps("x" * 1_000))]) == [True]
    except StoreError:
        return False


def test_a_full_disk_is_an_error_that_loses_nothing_and_passes(tmp_path: Path) -> None:
    """The file may not grow beyond a few pages, which SQLite reports as a full disk."""
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    store.append(SLUG, [event("a")])
    with store._database.writing() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 3}")
    kept = 1 + len(list(takewhile(lambda n: appends(store, f"b{n}"), range(100))))
    assert 1 < kept < 100
    with pytest.raises(StoreError, match="full"):
        store.append(SLUG, [event("d", body=json.dumps("x" * 5_000))])
    assert len(all_names(store)) == kept
    with store._database.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert store.append(SLUG, [event("c")]) == [True]
    assert len(all_names(store)) == kept + 1
    store.close()


def test_a_lost_connection_is_an_error_and_then_works_again() -> None:
    import psycopg

    with postgres_schema() as url:
        store = Store(url)
        store.append(SLUG, [event("a")])
        while store.wait(0.1):
            pass
        with psycopg.connect(url, autocommit=True) as administrator:
            schema = administrator.execute("SELECT current_schema()").fetchone()
            assert schema is not None
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'foretell' AND pid IN "
            with store._database.reading() as connection:
                mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            administrator.execute(f"{end} ({mine})")
        with pytest.raises(StoreError, match="cannot be used now"):
            store.append(SLUG, [event("b")])
        assert store.append(SLUG, [event("b")]) == [True]
        assert all_names(store) == ["a", "b"]
        store.close()


def test_one_job_that_cannot_be_stored_does_not_take_others_along(store: Store) -> None:
    gate = threading.Event()

    def fail(_: Connection) -> None:
        raise ZeroDivisionError

    def hold(_: Connection) -> bool:
        return gate.wait(5)

    writer = Writer(store._database.writing)
    held = writer.submit(hold, 1)  # while the thread is in this one, the others gather
    good, bad, better = writer.submit(lambda _: "good", 1), writer.submit(fail, 1), writer.submit(lambda _: "better", 1)
    gate.set()
    assert held.result(5)
    assert (good.result(5), better.result(5)) == ("good", "better")
    with pytest.raises(ZeroDivisionError):
        bad.result(5)
    writer.close()


def test_too_much_that_waits_is_refused_at_once(store: Store) -> None:
    gate = threading.Event()
    writer = Writer(store._database.writing)
    writer.submit(lambda _: gate.wait(5), 1)
    time.sleep(0.2)
    waiting = [writer.submit(lambda _: True, 1) for _ in range(MAX_WAITING)]
    with pytest.raises(StoreError, match="come back"):
        writer.submit(lambda _: True, 1).result(0)
    gate.set()
    assert all(future.result(5) for future in waiting)
    writer.close()
