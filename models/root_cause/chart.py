"""What the picture of an answer is drawn from: counts by service and step of time, onsets, and whose trouble explains whose."""

from __future__ import annotations

from pydantic import AwareDatetime, ConfigDict, Field

from models.base import Record


class TimelineRow(Record):
    """One service."""

    service: str = Field(description="Its name, as in the lines.")
    lines: tuple[int, ...] = Field(description="Lines by step.")
    errors: tuple[int, ...] = Field(description="Those that report an error.")
    unusual: tuple[int, ...] = Field(description="Those that are unusual in themselves: never seen, far too frequent, or far too late.")
    onset_at: AwareDatetime | None = Field(description="When it began to behave unusually.")


class Arrow(Record):
    """A service whose trouble came from another one's."""

    cause: str = Field(description="Whose trouble came first, or explains the other's.")
    effect: str = Field(description="Who calls it, and was in trouble too.")
    lag_seconds: float = Field(description="Onset of the effect, in seconds after that of the cause.")


class Timeline(Record):
    """A window in steps of equal length."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "started_at": "2026-03-02T09:15:00Z",
                    "step_seconds": 2.0,
                    "rows": [
                        {
                            "service": "database",
                            "lines": [4, 9],
                            "errors": [0, 7],
                            "unusual": [0, 7],
                            "onset_at": "2026-03-02T09:15:02Z",
                        }
                    ],
                    "arrows": [],
                    "other_services": 0,
                }
            ]
        }
    )

    started_at: AwareDatetime = Field(description="Beginning of the first step.")
    step_seconds: float = Field(gt=0, description="Length of a step.")
    rows: tuple[TimelineRow, ...] = Field(description="Suspects first, most likely on top, then whoever wrote most.")
    arrows: tuple[Arrow, ...] = Field(description="Whose trouble explains whose.")
    other_services: int = Field(ge=0, description="Services that are not shown.")
