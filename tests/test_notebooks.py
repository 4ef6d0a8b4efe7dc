"""The notebooks run from top to bottom on the sample data, and are committed without output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import models

ROOT = Path(__file__).parent.parent


def read(slug: str) -> Any:
    return nbformat.read(ROOT / "notebooks" / f"{slug}.ipynb", as_version=4)  # type: ignore[no-untyped-call]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("slug", models.MODELS)
def test_notebook_runs(slug: str) -> None:
    notebook = read(slug)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    pictures = [output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert pictures, "a notebook answers with pictures"


@pytest.mark.parametrize("slug", models.MODELS)
def test_notebook_is_committed_without_output(slug: str) -> None:
    notebook = read(slug)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
