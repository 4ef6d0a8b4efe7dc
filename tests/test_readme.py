"""What the README shows runs, and what it claims was measured."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

import foretell
import models
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def table(header: str) -> list[list[str]]:
    """The cells below the header that starts so."""
    lines = README[README.index(f"| {header} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def surroundings(home: Path) -> dict[str, str]:
    """An environment in which ``foretell`` is on the path and knows nothing but `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FORETELL", "MLFLOW"))}
    return kept | {"FORETELL_HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


class Up(NamedTuple):
    """A running ``foretell up``."""

    home: Path
    port: int
    ui_port: int


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, encoder_cache: Path) -> Iterator[Up]:
    """Everything, from an empty home: what has no champion is trained on its sample, then both servers answer."""
    home = tmp_path_factory.mktemp("home")
    (home / "encoders").symlink_to(encoder_cache)
    found = Up(home, free_port(), free_port())
    log = home / "up.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "foretell", "up", "--port", str(found.port), "--ui-port", str(found.ui_port)]
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings(home), stdout=file, stderr=file)
    try:
        while "Ctrl-C stops both." not in log.read_text():
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield found
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def run(script: str, home: Path, folder: Path) -> str:
    """The output of a shell block, run where the project's data is at hand and nothing of the project can be written."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=surroundings(home), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_targets_exist() -> None:
    targets = re.findall(r"^make (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE)
    assert targets == ["up", "test"]
    for target in targets:
        subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=True)


def test_up_starts_the_api_and_the_mlflow_ui(up: Up) -> None:
    answering = httpx.get(f"http://127.0.0.1:{up.port}/v1/models").json()["models"]
    assert [(model["slug"], model["version"], model["ready"]) for model in answering] == [(slug, "1", True) for slug in models.MODELS]
    assert "MLflow" in httpx.get(f"http://127.0.0.1:{up.ui_port}").text


def test_request_gets_the_answer_that_is_shown(up: Up, tmp_path: Path) -> None:
    (request,) = [block for block in blocks("sh") if block.startswith("curl")]
    answer = json.loads(run(request.replace("localhost:3000", f"127.0.0.1:{up.port}"), up.home, tmp_path))
    (shown,) = map(json.loads, blocks("json"))
    assert _without_names(answer) == _without_names(shown)


def _without_names(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without what differs from one training machine or request to the next: the id, and digits after the third."""
    (prediction,) = answer["predictions"]
    return {
        "slug": answer["model"]["slug"],
        "customer_id": prediction["customer_id"],
        "probability": pytest.approx(prediction["probability"], abs=0.02),
        "action": prediction["action"],
        "reasons": [reason["feature"] for reason in prediction["reasons"]],
        "keys": sorted(prediction),
    }


def test_commands_run(up: Up, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(ROOT / "data")
    (script,) = [block for block in blocks("sh") if block.startswith("foretell")]
    output = run(script, up.home, tmp_path)
    assert "2,500 rows can be used" in output
    assert len((tmp_path / "churn-predictions.jsonl").read_text().splitlines()) == 2_500


def test_every_command_is_listed_with_its_help() -> None:
    assert {row[0]: row[1] for row in table("command")} == {f"`foretell {name}`": text for name, text in foretell.commands().items()}
    assert all(foretell.commands().values())


def test_every_variable_is_listed() -> None:
    sources = [file.read_text() for folder in ("models", "training", "serving") for file in (ROOT / folder).rglob("*.py")]
    known = set(re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", "\n".join(sources)))
    assert {name.strip("`") for name, *_ in table("variable")} == {name for name in known if name.startswith(("FORETELL", "MLFLOW_TR"))}


def test_every_model_is_listed_with_its_route() -> None:
    assert [(slug.strip("`"), route.strip("`")) for slug, _, _, _, route in table("model | question and method")] == [
        (slug, f"/v1/{slug}") for slug in models.MODELS
    ]
    assert [slug.strip("`") for slug, *_ in table("model | training row")] == list(models.MODELS)


def test_every_figure_was_measured() -> None:
    results = {result["name"]: result["rows"] for result in json.loads((ROOT / "tests/benchmarks/results.json").read_text())["benchmarks"]}
    claims = re.findall(r"`(\w+)`: ([^`|]+?)\s`(\w+)` ([\d.,]+) on\s\*([^*]+)\*", README)
    assert len(claims) >= 2 * len(models.MODELS)
    for benchmark, system, metric, figure, data in claims:
        (row,) = [row for row in results[benchmark] if row["system"] == system and row["data"] == data]
        digits = len(figure.partition(".")[2])
        assert f"{row[metric]:,.{digits}f}".lstrip("0") == figure.lstrip("0"), (benchmark, system, metric, data)
