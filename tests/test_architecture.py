"""The four rules of the design that a program can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import models

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "models": {
        "training",
        "serving",
        "foretell",
        "mlflow",
        "bentoml",
        "starlette",
        "sqlalchemy",
        "httpx",
        "torch",
        "sentence_transformers",
    },
    "training": {"serving", "foretell", "bentoml", "torch", "sentence_transformers"},
    "serving": {"training", "foretell", "torch", "sentence_transformers"},
}
EXCEPT = {"models/intent/tuning.py": {"torch"}}
"""Fine-tuning needs gradients, while training and only when it is asked for; what it learned is served through ONNX, without torch."""
UNSAFE = {"pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve"}


def imported(file: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def sources(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_dependencies_point_at_models(folder: str) -> None:
    files = sources(folder)
    assert files
    for file in files:
        assert not imported(file) & FORBIDDEN[folder] - EXCEPT.get(file.relative_to(ROOT).as_posix(), set()), file


def test_nothing_imports_what_may_import_torch_until_it_is_asked_for() -> None:
    for file in [*sources("models", "training", "serving"), ROOT / "foretell.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            else:
                names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            assert not names & {name.removesuffix(".py").replace("/", ".") for name in EXCEPT}, file


def test_only_tracking_and_pyfunc_import_mlflow_in_training() -> None:
    importers = {file.relative_to(ROOT / "training").parts[0] for file in sources("training") if "mlflow" in imported(file)}
    assert importers == {"tracking", "pyfunc.py"}


def test_nothing_imports_an_unsafe_serialiser() -> None:
    for file in [*sources("models", "training", "serving"), ROOT / "foretell.py"]:
        assert not imported(file) & UNSAFE, file


def test_every_slug_has_its_files() -> None:
    for slug in models.MODELS:
        assert (ROOT / "models" / f"{slug}.py").exists() or (ROOT / "models" / slug / "__init__.py").exists()
        for path in (f"training/{slug}.py", f"data/{slug}/prepare.py", f"tests/test_{slug}.py", f"notebooks/{slug}.ipynb"):
            assert (ROOT / path).is_file(), path


def test_top_level_is_as_the_design_fixes_it() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {name.split("/")[0] for name in tracked} == {
        *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "constraints.txt", "pyproject.toml", "foretell.py"),
        *("data", "models", "notebooks", "serving", "tests", "training"),
    }


def test_importing_a_model_does_no_work(tmp_path: Path) -> None:
    script = "import models\nfor slug in models.MODELS: models.get(slug)\nimport os, sys\nassert not os.listdir('.'), os.listdir('.')\n"
    heavy = ("torch", "sentence_transformers", "hdbscan", "sklearn", "lightgbm", "networkx", "mlflow")
    script += f"assert not sys.modules.keys() & set({heavy})"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, env={"PYTHONPATH": str(ROOT), "PATH": ""})
