"""The command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from shutil import copyfile

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import foretell
from models import MODELS
from models.errors import ForetellError
from models.rows import source
from serving.processes import Program, running
from tests.ports import free_port
from training import bench as harness

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "data" / "churn" / "sample.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(foretell.app, [str(argument) for argument in arguments])


def refusal(*arguments: object, code: int = 2) -> str:
    """The one sentence on stderr of a command that must fail, without a traceback and with nothing on stdout."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("foretell: ")
    return line.removeprefix("foretell: ")


def real(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, in a process of its own."""
    command = [sys.executable, "-m", "foretell", *map(str, arguments)]
    # MLflow leaves its own address in the environment of the process that runs the tests.
    variables = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {"FORETELL_HOME": str(home)}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("trained")
    result = real("train", "churn", "--json", home=home)
    assert result.returncode == 0, result.stderr
    (home / "report.json").write_text(result.stdout)
    return home


@pytest.fixture
def trained(trained_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a champion of churn, trained on its sample by the real command; and the report that it printed."""
    monkeypatch.setenv("FORETELL_HOME", str(trained_home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return trained_home


@pytest.fixture
def untrained(home: Path, empty_database: Path) -> Path:
    """A home with a registry that holds nothing."""
    copyfile(empty_database, home / "mlflow.db")
    return home


# Help


def test_every_command_of_the_design_is_there_and_says_what_it_does() -> None:
    commands = foretell.commands()
    assert set(commands) == {
        *("up", "train", "promote", "rollback", "status", "predict", "serve", "review", "bench", "ask", "tell"),
        *("evaluate-policy", "inbox"),
        *("data list", "data fetch", "data check", "data export", "data forget"),
    }
    assert all(words.endswith(".") for words in commands.values())
    for command in commands:
        assert run(*command.split(), "--help").exit_code == 0


def test_help_imports_nothing_slow() -> None:
    script = "import sys, foretell\nslow = {'numpy', 'pydantic', 'polars', 'mlflow', 'bentoml', 'sklearn', 'torch', 'models'}\n"
    subprocess.run([sys.executable, "-c", script + "assert not slow & set(sys.modules), slow & set(sys.modules)"], cwd=ROOT, check=True)


def test_the_module_runs_like_the_script(tmp_path: Path) -> None:
    result = real("--help", home=tmp_path)
    assert result.returncode == 0
    assert "Exit codes" in result.stdout


def test_unknown_commands_are_refused() -> None:
    assert run("forecast").exit_code == 2
    assert run("data", "mine").exit_code == 2


# Bad input


@pytest.mark.parametrize("command", ["train", "promote", "rollback", "data check", "predict"])
def test_an_unknown_slug_is_refused_with_the_list(home: Path, tmp_path: Path, command: str) -> None:
    more: dict[str, list[object]] = {"data check": [SAMPLE], "predict": ["--input", SAMPLE, "--output", tmp_path / "out.csv"]}
    assert (
        refusal(*command.split(), "weather", *more.get(command, [])) == f"expected one of {', '.join(MODELS)} as the model, got 'weather'"
    )
    assert not (home / "mlflow.db").exists()


CHURN_HEADER = "customer,age,left\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("customer,age\na,1\n", "rows.csv: expected the column 'left', got customer, age: name yours with --map label=COLUMN"),
        (CHURN_HEADER + "a,1,yes\nb,2\n", "rows.csv, row 2: expected 3 cells as in the header, got 2: is a delimiter or a quote missing?"),
        (CHURN_HEADER + "a,1,yes\nb,2,perhaps\n", "rows.csv, row 2, column left: expected whether the customer left as Yes/No"),
        (CHURN_HEADER + "".join(f"{age},{age},yes\n" for age in range(90)), "expected customers who left and customers who stayed"),
        (CHURN_HEADER, "expected rows in rows.csv, found none"),
        ("", "rows.csv: expected rows, got an empty file"),
    ],
    ids=["missing column", "broken row", "wrong label", "one class", "no rows", "empty file"],
)
def test_training_on_bad_rows_is_refused_and_registers_nothing(untrained: Path, tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    assert expected in refusal("train", "churn", "--data", path, "--map", "label=left", "--map", "id=customer")
    assert run("status", "--json").stdout == '{"models": []}\n'


def test_a_naive_time_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("user_id,topic,action,timestamp\nann,hiking,view,2026-01-01 10:00:00\n")
    expected = "rows.csv, row 1, column timestamp: expected a time with its zone, such as 2026-01-31T09:30:00Z, got '2026-01-01 10:00:00'"
    assert refusal("data", "check", "interest_graph", path) == f"{expected}: --read zone=Europe/Berlin says the zone of all"


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BOMB_BYTES", 2**20)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress(CHURN_HEADER.encode() + b"a,1,yes" + b" " * 2**23))
    assert "expected a gzip file that unpacks to less than 1 MiB or 200 times" in refusal(
        "data", "check", "churn", path, "--map", "label=left"
    )


def test_options_that_cannot_be_used_are_refused(home: Path, tmp_path: Path) -> None:
    assert refusal("train", "churn", "--map", "left") == "expected --map NAME=VALUE, got 'left'"
    expected = "expected one model with --data, --holdout, --map, --read, --set or --from-feedback, got all"
    assert refusal("train", "all", "--data", SAMPLE) == expected
    assert "expected settings among seed, " in refusal("train", "churn", "--set", "depth=3")
    assert "expected one of loghub" in refusal("data", "fetch", "mnist")
    assert "as the benchmark, got 'speed'" in refusal("bench", "speed")
    assert "got 'weather'" in refusal("serve", "--models", "churn,weather")
    predict = ("predict", "churn", "--input", SAMPLE, "--output", tmp_path / "out.csv")
    assert "expected --engine local, got spark" in refusal(*predict, "--engine", "spark")


def test_a_port_that_is_taken_is_refused_before_anything_is_trained(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (
            ["up", "--port", port],
            ["up", "--port", 0, "--ui-port", port],
            ["serve", "--port", port],
            ["review", "--port", port],
        ):
            assert f"expected port {port} of 127.0.0.1 to be free, another program listens there" in refusal(*command)
    assert list(home.glob("*.db")) == []


def test_what_is_not_registered_is_refused_with_exit_code_1(untrained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert "run foretell train" in refusal("predict", "churn", "--input", SAMPLE, "--output", out, code=1)
    assert "expected a challenger of churn" in refusal("promote", "churn", code=1)
    assert "expected an earlier champion of churn" in refusal("rollback", "churn", code=1)


# Train, status, predict


def test_train_prints_one_json_object_and_nothing_else(trained: Path) -> None:
    report = json.loads((trained / "report.json").read_text())
    assert {"slug", "version", "alias", "rows", "seconds", "metrics", "baseline", "gates"} <= report.keys()
    assert (report["slug"], report["version"], report["alias"]) == ("churn", 1, "champion")
    assert report["rows"] == len(rows(SAMPLE))


def test_status_says_which_version_answers(trained: Path) -> None:
    [version] = json.loads(run("status", "--json").stdout)["models"]
    assert (version["slug"], version["version"], version["alias"]) == ("churn", 1, "champion")
    assert "champion" in run("status").stdout


def test_predict_answers_every_row_in_order(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = run("predict", "churn", "--input", SAMPLE, "--output", out, "--json")
    assert json.loads(result.stdout) == {"slug": "churn", "version": "1", "rows": len(rows(SAMPLE)), "output": str(out)}
    assert [row["customer_id"] for row in rows(out)] == [row["customer_id"] for row in rows(SAMPLE)]
    assert all(0 <= float(row["probability"]) <= 1 for row in rows(out))


def test_every_format_gets_the_same_predictions(trained: Path, tmp_path: Path) -> None:
    for ending in ("csv", "jsonl.gz", "parquet"):
        assert run("predict", "churn", "--input", SAMPLE, "--output", tmp_path / f"out.{ending}").exit_code == 0
    probabilities = pl.read_parquet(tmp_path / "out.parquet")["probability"].to_list()
    assert [float(row["probability"]) for row in rows(tmp_path / "out.csv")] == probabilities
    lines = gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["probability"] for line in lines] == probabilities


def test_a_broken_row_leaves_no_predictions(trained: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    path.write_text(SAMPLE.read_text() + "one cell\n")
    assert f"rows.csv, row {len(rows(SAMPLE)) + 1}: expected " in refusal("predict", "churn", "--input", path, "--output", out)
    assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]


def test_another_version_is_refused(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert "version 9" in refusal("predict", "churn", "--input", SAMPLE, "--output", out, "--version", 9, code=1)
    assert "@shadow" in refusal("predict", "churn", "--input", SAMPLE, "--output", out, "--alias", "shadow", code=1)


def test_promote_and_rollback_move_the_champion(trained: Path) -> None:
    assert run("train", "churn", "--no-promote", "--set", "reasons=2").exit_code == 0
    assert run("promote", "churn").stdout == "churn: version 2 is the champion\n"
    assert run("rollback", "churn").stdout == "churn: version 1 is the champion again\n"


@pytest.mark.parametrize("command", [["serve"], ["up"]])
def test_a_server_whose_store_can_be_nowhere_does_not_start(home: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("FORETELL_DATABASE_URL", "mysql://ann:secret@localhost/x")
    ports = ["--port", free_port()] + (["--ui-port", free_port()] if command == ["up"] else [])
    sentence = refusal(*command, *ports)
    assert "expected FORETELL_DATABASE_URL as sqlite:///path or postgresql://" in sentence
    assert "secret" not in sentence


# Data, bench


def test_data_check_counts_rows() -> None:
    assert json.loads(run("data", "check", "churn", SAMPLE, "--json").stdout)["rows"] == len(rows(SAMPLE))


def test_data_list_names_licences(home: Path) -> None:
    sets = json.loads(run("data", "list", "--json").stdout)["sets"]
    assert {"name", "model", "licence", "fetched"} <= sets[0].keys()
    assert not any(each["fetched"] for each in sets)


@pytest.fixture
def toy_benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("fast", "slow"):
        code = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Row:\n    system: str\n"
        code += "DATA = 'toy'\ndef run(data):\n    print('noise')\n    return [{'system': 'foretell', 'data': data.name, 'roc_auc': 0.5}]\n"
        (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "toy").mkdir()
    monkeypatch.setattr(harness, "_FOLDER", tmp_path)
    monkeypatch.setenv("FORETELL_BENCH_DATA", str(tmp_path))
    return tmp_path


def test_one_benchmark_is_one_object(toy_benchmarks: Path) -> None:
    result = json.loads(run("bench", "fast", "--data", toy_benchmarks / "toy", "--json").stdout)
    assert result.keys() == {"name", "machine", "rows"}
    assert result["rows"] == [{"system": "foretell", "data": "toy", "roc_auc": 0.5}]
    assert {"cpu", "cores", "memory_gib", "python"} == result["machine"].keys()


def test_all_benchmarks_are_a_list_and_find_their_data(toy_benchmarks: Path) -> None:
    result = json.loads(run("bench", "--json").stdout)
    assert [each["name"] for each in result["benchmarks"]] == ["fast", "slow"]
    assert "roc_auc" in run("bench", "fast").stdout


def test_a_benchmark_without_its_data_is_refused(toy_benchmarks: Path) -> None:
    (toy_benchmarks / "toy").rmdir()
    assert "expected the data of fast in the folder" in refusal("bench", "fast")


# Programs that run together


def test_a_program_ends_with_everything_it_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["bash", "-c", f"{sys.executable} -m http.server {port} --bind 127.0.0.1 & echo $! > {tmp_path}/child; wait"]
    with running(Program("the toy", command, f"http://127.0.0.1:{port}/", tmp_path / "logs" / "toy.log")) as toy:
        toy.wait_until_ready(20)
        child = int((tmp_path / "child").read_text())
    assert toy.process.poll() is not None
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.05)
    pytest.fail(f"process {child} goes on")


def test_a_program_that_ends_early_names_its_log(tmp_path: Path) -> None:
    program = Program("the toy", [sys.executable, "-c", "raise SystemExit(3)"], "http://127.0.0.1:9/", tmp_path / "toy.log")
    with running(program) as toy, pytest.raises(ForetellError, match=r"expected the toy to start, it ended with code 3: see .*toy\.log"):
        toy.wait_until_ready(20)


def test_review_shows_the_mlflow_ui_until_it_is_told_to_stop(untrained: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "foretell", "review", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as review:
        assert review.stdout is not None
        assert review.stdout.readline() == f"MLflow UI  http://127.0.0.1:{port}\n"
        review.send_signal(signal.SIGTERM)
        assert review.wait(30) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
