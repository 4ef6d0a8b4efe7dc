"""The HTTP surface of a real ``bentoml serve`` process: what it answers, what it refuses and how, what it counts."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance, unsupported_method

from models.churn import Churn, ChurnExample
from models.environment import environment
from serving.answers import MAX_QUERIES
from serving.champions import Champions
from serving.gateway import MAX_BODY_BYTES
from serving.launch import command, settings
from tests.ports import free_port
from tests.registered import graph, register
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]
SLUGS = ("churn", "interest_graph")


@contextmanager
def serving(slugs: tuple[str, ...], *, ready: bool = True, folder: Path = ROOT, **variables: str) -> Iterator[httpx.Client]:
    """A server on a free port; waited for until it is ready, or only alive."""
    port = free_port()
    environ = {**settings(models=slugs, port=port), "FORETELL_RELOAD_SECONDS": "0.2", **variables}
    log = environment().home / f"serve-{port}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command(port=port), cwd=folder, env=environ, stdout=file, stderr=file)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(client, "/readyz" if ready else "/livez", process, log)
            yield client
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0, log.read_text()


def wait_for(client: httpx.Client, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            if client.get(path).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def status(client: httpx.Client, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = next(model for model in client.get("/v1/models").json()["models"] if model["slug"] == slug)
    return found


def churn() -> Churn:
    rows = [(months, plan) for months in range(60) for plan in ("monthly", "yearly")]
    return Churn().fit(
        ChurnExample(features={"months": months, "plan": plan}, label=months < 20 and plan == "monthly") for months, plan in rows
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORETELL_HOME", str(folder))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    register(churn())
    register(graph("jazz"))
    with serving(SLUGS) as client:
        yield client


def ask(client: httpx.Client, slug: str, *queries: dict[str, Any]) -> httpx.Response:
    return client.post(f"/v1/{slug}", json={"queries": queries})


def test_one_prediction_per_query_in_order_each_with_its_own_id(client: httpx.Client) -> None:
    body = ask(client, "churn", *({"customer_id": f"c{n}", "features": {"months": n, "plan": "monthly"}} for n in (1, 50))).json()
    assert body["model"] == {"slug": "churn", "version": "1"}
    first, second = body["predictions"]
    assert (first["customer_id"], second["customer_id"]) == ("c1", "c50")
    assert first["probability"] > 0.5 > second["probability"]
    assert len({prediction["prediction_id"] for prediction in body["predictions"]}) == 2
    assert all(re.fullmatch("churn-1-[0-9a-f]{32}", prediction["prediction_id"]) for prediction in body["predictions"])


def test_over_http_the_answer_is_the_models_own(client: httpx.Client) -> None:
    model = churn()
    query = {"features": {"months": 7, "plan": "monthly"}}
    answered = ask(client, "churn", query).json()["predictions"][0]
    expected = model.predict([model.contract.query.model_validate(query)])[0].model_dump(mode="json")
    assert {**answered, "prediction_id": None} == expected


def test_no_queries_no_predictions(client: httpx.Client) -> None:
    assert ask(client, "churn").json()["predictions"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected the body to be JSON like .*, got something else: EOF"),
        (b"{", "expected the body to be JSON like"),
        (b"\xff", "expected the body to be JSON like"),
        (b"[]", "the body: expected an object, got \\[\\]"),
        (b"{}", "queries: expected a value, got none"),
        (b'{"queries": 1}', "queries: expected a list, got 1"),
        (b'{"queries": [], "query": {}}', "query: expected no such field, got {}"),
        (b'{"queries": [{"features": {}}, {}]}', r"queries\[1\].features: expected a value, got none"),
        (
            b'{"queries": [{"features": {"plan": []}}]}',
            r"queries\[0\].features.plan: expected a number or .* text or true or false, got \[\]",
        ),
        (b'{"queries": [{}, {}, {}, {}, {}]}', "; and 2 more$"),
    ],
)
def test_a_wrong_body_is_400_and_names_query_and_field(client: httpx.Client, body: bytes, message: str) -> None:
    response = client.post("/v1/churn", content=body)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]
    assert re.search(message, response.json()["error"]), response.json()


def test_a_naive_time_is_refused(client: httpx.Client) -> None:
    response = ask(client, "interest_graph", {"user_id": "u1", "as_of": "2026-03-01T00:00:00"})
    assert response.status_code == 400
    assert "queries[0].as_of: expected a time with its zone, such as 2026-01-31T09:30:00Z, got" in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1/chrun", "expected one of /v1/churn, .*, /v1/interest_graph, .*, got /v1/chrun"),
        ("/v1/root_cause", "this server was started without root_cause"),
        ("/nothing", "got /nothing"),
    ],
)
def test_what_is_not_served_is_404(client: httpx.Client, path: str, message: str) -> None:
    response = client.post(path, json={"queries": []})
    assert response.status_code == 404
    assert re.search(message, response.json()["error"])


def test_a_wrong_method_is_405_and_says_which_is_right(client: httpx.Client) -> None:
    assert (client.get("/v1/churn").status_code, client.get("/v1/churn").headers["allow"]) == (405, "POST")
    assert (client.post("/v1/models").status_code, client.post("/v1/models").headers["allow"]) == (405, "GET")


def test_too_many_queries_are_413(client: httpx.Client) -> None:
    response = ask(client, "churn", *[{"features": {}}] * (MAX_QUERIES + 1))
    assert response.status_code == 413
    assert f"at most {MAX_QUERIES:,} queries, got {MAX_QUERIES + 1:,}" in response.json()["error"]


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_body_is_413_whether_its_length_is_announced_or_not(client: httpx.Client, announced: bool) -> None:
    chunk = b" " * 65_536
    chunks = (chunk for _ in range(MAX_BODY_BYTES // len(chunk) + 1))
    headers = {"content-length": str(MAX_BODY_BYTES + len(chunk))} if announced else {}
    try:
        response = client.post("/v1/churn", content=chunks, headers=headers)
    except httpx.WriteError:  # it hung up before it had read everything, which is right
        return
    assert response.status_code == 413


def test_models_says_what_answers_since_when_with_what_figures(client: httpx.Client) -> None:
    found = status(client, "interest_graph")
    assert found["ready"]
    assert (found["version"], found["source"], found["trained_at"]) == ("1", "registry", "2026-01-02T03:04:05+00:00")
    assert (found["metrics"], found["tags"]["rows"], found["problem"]) == ({"ndcg_at_10": 0.5}, "16", None)


def test_alive_and_ready(client: httpx.Client) -> None:
    assert (client.get("/livez").status_code, client.get("/readyz").status_code, client.head("/livez").content) == (200, 200, b"")


def sample(page: str, line: str) -> float:
    found = re.search(rf"^{re.escape(line)} (\S+)$", page, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


def test_metrics_count_requests_queries_and_errors(client: httpx.Client) -> None:
    lines = {
        'foretell_requests_total{model="churn",status="200"}': 3,
        'foretell_requests_total{model="churn",status="400"}': 2,
        'foretell_queries_total{model="churn"}': 6,
        'foretell_request_seconds_count{model="churn"}': 5,
    }
    before = client.get("/metrics").text
    for _ in range(3):
        ask(client, "churn", {"features": {}}, {"features": {}})
    for _ in range(2):
        client.post("/v1/churn", content=b"{}")
    after = client.get("/metrics").text
    assert {line: sample(after, line) - sample(before, line) for line in lines} == lines


def test_the_examples_of_the_openapi_document_work_when_pasted(client: httpx.Client) -> None:
    document = client.get("/docs.json").json()
    operations = {path: item["post"] for path, item in document["paths"].items() if "predictions" in item.get("post", {}).get("tags", ())}
    assert set(operations) == {f"/v1/{slug}" for slug in SLUGS}
    for path, operation in operations.items():
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert len(client.post(path, json=example).json()["predictions"]) == 1


def test_the_page_shows_the_openapi_document(client: httpx.Client) -> None:
    assert "swagger-ui" in client.get("/").text
    assert client.get("/static_content/swagger-ui.css").status_code == 200


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("slug", SLUGS)
def test_whatever_is_sent_is_answered_as_documented(client: httpx.Client, slug: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(client.get("/docs.json").json())[f"/v1/{slug}"]["POST"]

    @hypothesis.settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        # Types are read as in files ("12" is 12, true is "True"), and it does not know every pattern: what is accepted is tested above.
        accepted = [negative_data_rejection, positive_data_acceptance, unsupported_method]
        case.call_and_validate(base_url=str(client.base_url), excluded_checks=accepted)

    check()


def test_the_page_of_a_browser_elsewhere_cannot_read_answers(client: httpx.Client) -> None:
    response = client.post("/v1/churn", json={"queries": []}, headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in response.headers


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETELL_HOME", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def test_champions_come_and_change_while_the_server_runs(own_home: Path) -> None:
    with serving(("interest_graph",), ready=False) as client:
        refused = ask(client, "interest_graph", {"user_id": "u1"})
        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
        assert "run foretell train" in refused.json()["error"] or "being loaded" in refused.json()["error"]
        not_ready = client.get("/readyz")
        assert (not_ready.status_code, "interest_graph is not loaded" in not_ready.json()["error"]) == (503, True)

        register(graph("jazz"))
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert ask(client, "interest_graph", {"user_id": "u1"}).json()["model"]["version"] == "1"

        register(graph("chess"))
        eventually(lambda: status(client, "interest_graph")["version"] == "2")


def test_without_its_registry_a_server_starts_from_the_last_good_version(own_home: Path) -> None:
    register(graph("jazz"))
    Champions(["interest_graph"], environment()).refresh()
    (own_home / "mlflow.db").unlink()
    with serving(("interest_graph",)) as client:
        assert ask(client, "interest_graph", {"user_id": "u1"}).json()["model"]["version"] == "1"
        found = status(client, "interest_graph")
        assert (found["source"], "found no such file" in found["problem"]) == ("disk", True)


def test_two_workers_count_together(own_home: Path) -> None:
    register(graph("jazz"))
    with serving(("interest_graph",), BENTOML_CONFIG_OPTIONS="services.foretell.workers=2") as client:
        for _ in range(20):
            httpx.post(f"{client.base_url}/v1/interest_graph", json={"queries": [{"user_id": "u1"}]})
        pages = {sample(client.get("/metrics").text, 'foretell_queries_total{model="interest_graph"}') for _ in range(5)}
        answered = 20 - int(sample(client.get("/metrics").text, 'foretell_requests_total{model="interest_graph",status="503"}'))
        assert pages == {float(answered)}


_BUILD = """
import sys, tomllib
import bentoml
project = tomllib.load(open("pyproject.toml", "rb"))
config = project["tool"]["bentoml"]["build"]
# Resolving the packages needs the network; that is proved by hand.
python = {"packages": [*config["python"]["packages"], *project["project"]["dependencies"]], "lock_packages": False}
print(bentoml.bentos.build(build_ctx=".", **{**config, "python": python}).path)
"""


def test_a_bento_holds_what_it_needs_to_answer_without_a_registry(own_home: Path) -> None:
    checkout = own_home / "checkout"
    for name in ("models", "serving"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "constraints.txt", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    register(graph("jazz"))
    Champions(["interest_graph"], environment()).refresh()
    shutil.copytree(own_home / "served", checkout / ".foretell" / "served")
    environ = {**settings(), "PYTHONWARNINGS": "ignore"}
    built = subprocess.run([sys.executable, "-c", _BUILD], cwd=checkout, env=environ, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    bento = Path(built.stdout.split()[-1])
    requirements = (bento / "env" / "python" / "requirements.txt").read_text()
    assert "lightgbm" in requirements
    assert "torch" not in requirements
    assert (bento / "env" / "docker" / "Dockerfile").is_file()
    assert not (bento / "src" / "training").exists()

    with serving(("interest_graph",), folder=bento / "src", FORETELL_HOME=".foretell") as client:
        assert status(client, "interest_graph")["source"] == "disk"
        assert ask(client, "interest_graph", {"user_id": "u1"}).json()["model"]["version"] == "1"


def test_a_bento_installs_the_extra_that_serves() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(project["project"]["optional-dependencies"]["serve"]) <= set(project["tool"]["bentoml"]["build"]["python"]["packages"])
