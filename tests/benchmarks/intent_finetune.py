"""Intent with half an hour for fine-tuning the encoder, on one set; another, such as CLINC150, by ``--data``.

What `intent` measures of the model, with another setting. It takes up to that half hour, so it stands apart.
"""

from __future__ import annotations

from pathlib import Path

from models.intent import IntentConfig
from tests.benchmarks.intent import foretell, task_of

DATA = "intent/banking77"

MINUTES = 30


def run(data: Path) -> list[dict[str, object]]:
    """One row, if the folder is a set."""
    task, config = task_of(data), IntentConfig(finetune_minutes=MINUTES)
    return [{"system": f"foretell, finetune_minutes={MINUTES}", "data": task.data, **foretell(task, config)}] if task else []
