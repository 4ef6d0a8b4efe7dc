"""Log files as rows: plain text in many forms, JSON lines of loggers and containers, OpenTelemetry; `read` finds out which."""

from models.root_cause.readers.reader import read

__all__ = ["read"]
