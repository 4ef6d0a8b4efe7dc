"""What the server costs: churn at 16 connections through ``bentoml serve`` and through bare uvicorn, in the same run.

Both systems have one worker, the same model and the same types; bare uvicorn runs the least that a person would write with Starlette
and pydantic. They are loaded in turns, and figures are medians over the turns, so a machine that is busy with something else slows
both. ``cpu_us_per_request`` is the processor time that the worker used, which other programs change least.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil  # type: ignore[import-untyped]  # BentoML brings it

from models.churn import ChurnQuery
from serving.launch import command, settings
from tests.benchmarks._server import ROOT, trained
from tests.ports import free_port

DATA = "churn"

CONNECTIONS = 16
TURNS = 5
SECONDS = 4

_BODY = json.dumps({"queries": ChurnQuery.model_config["json_schema_extra"]["examples"]})  # type: ignore[index]

_BARE = """
import sys, uvicorn
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from models.churn import ChurnQuery
from models.environment import environment
from serving.champions import Champions

class Body(BaseModel):
    queries: list[ChurnQuery]

champions = Champions(["churn"], environment())
champions.refresh()

async def churn(request):
    body = Body.model_validate_json(await request.body())
    return Response(champions.answer("churn", body.queries).model_dump_json(), media_type="application/json")

app = Starlette(routes=[Route("/v1/churn", churn, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""

_WRK = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{body}'
"""


def run(data: Path) -> list[dict[str, object]]:
    """Measure both systems with the sample's model; what is in `data` does not matter to the overhead."""
    with tempfile.TemporaryDirectory() as scratch:
        environ = trained(Path(scratch), "churn")
        with _served(environ, bare=False) as ours, _served(environ, bare=True) as bare:
            return _compare({"foretell": ours, "uvicorn": bare}, Path(scratch))


def _compare(systems: dict[str, tuple[int, psutil.Process]], scratch: Path) -> list[dict[str, object]]:
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in systems}
    for _ in range(TURNS):
        for name, (port, process) in systems.items():
            turns[name].append(_turn(port, process, scratch))
    rows = {name: {key: statistics.median(turn[key] for turn in found) for key in found[0]} for name, found in turns.items()}
    ratio = {key: rows["foretell"][key] / rows["uvicorn"][key] for key in rows["foretell"]}
    named = [*rows.items(), ("foretell / uvicorn", ratio)]
    return [{"system": name, "data": "sample", **{key: round(value, 3) for key, value in row.items()}} for name, row in named]


def _turn(port: int, process: psutil.Process, scratch: Path) -> dict[str, float]:
    before = _cpu_seconds(process)
    requests, figures = _wrk(port, scratch) if shutil.which("wrk") else _python_load(port)
    return {**figures, "cpu_us_per_request": (_cpu_seconds(process) - before) / requests * 1e6}


def _cpu_seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


def _wrk(port: int, scratch: Path) -> tuple[int, dict[str, float]]:
    script = scratch / "wrk.lua"
    script.write_text(_WRK.replace("{body}", _BODY))
    arguments = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", str(script), f"http://127.0.0.1:{port}/v1/churn"]
    text = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"expected only answers, got errors:\n{text}")
    rate, requests = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"(\d+) requests in", text)
    assert rate is not None
    assert requests is not None
    figures = {"requests_per_second": float(rate[1]), "p50_ms": _milliseconds(text, "50%"), "p99_ms": _milliseconds(text, "99%")}
    return int(requests[1]), figures


def _milliseconds(text: str, percentile: str) -> float:
    found = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)\b", text)
    assert found
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


_LOAD = """
import http.client, json, sys, threading, time
port, connections, seconds, body = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
took, end = [], time.perf_counter() + seconds

def ask():
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while (start := time.perf_counter()) < end:
        connection.request("POST", "/v1/churn", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200
        took.append(time.perf_counter() - start)

threads = [threading.Thread(target=ask) for _ in range(connections)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(sorted(took)))
"""


def _python_load(port: int) -> tuple[int, dict[str, float]]:
    arguments = [sys.executable, "-c", _LOAD, str(port), str(CONNECTIONS), str(SECONDS), _BODY]
    took = json.loads(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
    percentile = {share: took[int(share * (len(took) - 1))] * 1000 for share in (0.5, 0.99)}
    return len(took), {"requests_per_second": len(took) / SECONDS, "p50_ms": percentile[0.5], "p99_ms": percentile[0.99]}


@contextmanager
def _served(environ: dict[str, str], *, bare: bool) -> Iterator[tuple[int, psutil.Process]]:
    """A server with one worker that answers, and the process that does."""
    port = free_port()
    home = {"FORETELL_HOME": environ["FORETELL_HOME"], "BENTOML_HOME": f"{environ['FORETELL_HOME']}/bentoml"}
    variables = environ if bare else {**settings(models=["churn"], port=port), **environ, **home}
    arguments = [sys.executable, "-c", _BARE, str(port)] if bare else command(port=port)
    process = subprocess.Popen(arguments, env=variables, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        parent = psutil.Process(process.pid)
        yield port, parent if bare else parent.children()[0]
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    request = Request(f"http://127.0.0.1:{port}/v1/churn", data=_BODY.encode(), headers={"Content-Type": "application/json"})
    for _ in range(600):
        try:
            urlopen(request, timeout=5).close()  # noqa: S310 - our own server
        except (URLError, OSError):
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode} before it answered") from None
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not answer within a minute")
