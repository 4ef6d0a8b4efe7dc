"""JSON objects as programs, containers and OpenTelemetry log them, made rows with the names of our fields."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from models.root_cause.readers.text import Time, Trace

Row = dict[str, Any]

NAMES: Mapping[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "@timestamp", "time", "ts", "datetime", "eventTime", "__REALTIME_TIMESTAMP", "date"),
    "message": ("message", "msg", "log", "MESSAGE", "short_message", "event", "body", "text"),
    "level": ("level", "severity", "log.level", "levelname", "lvl", "loglevel", "severityText", "PRIORITY"),
    "service": ("service", "service.name", "app", "application", "appname", "SYSLOG_IDENTIFIER", "component", "container_name"),
    "instance": ("instance", "host.name", "hostname", "host", "pod", "pod_name", "_HOSTNAME"),
    "trace_id": ("trace_id", "trace.id", "traceId", "traceid", "dd.trace_id", "correlation_id", "request_id"),
    "logger": ("logger", "log.logger", "logger_name", "name", "caller"),
}
_PINO = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
_SYSLOG = {str(number): name for number, name in enumerate(("EMERG", "ALERT", "CRIT", "ERROR", "WARN", "NOTICE", "INFO", "DEBUG"))}
_STACKS = ("stack_trace", "error.stack_trace", "exception", "exc_info", "stack", "err.stack")
_OTEL_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


def rows(numbered: Iterable[tuple[int, Row]], mapped: Collection[str], time: Time) -> Iterator[tuple[int, Row]]:
    """Rows of objects; an object of OpenTelemetry holds many, and several lines of a container may be one.

    Parameters
    ----------
    mapped
        Fields whose column the user names: they are left to that.
    time
        Makes ISO 8601 of a time as logged.
    """
    flat = ((number, each) for number, found in numbered for each in (_otel(found) if "resourceLogs" in found else (_container(found),)))
    for number, row in _joined(flat):
        yield number, _named(row, mapped, time)


def _named(row: Row, mapped: Collection[str], time: Time) -> Row:
    """The row with our names for what it holds under others'."""
    named = dict(row)
    for field, names in NAMES.items():
        if field not in mapped:
            value = next((found for name in names if (found := _at(row, name)) not in (None, "")), None)
            named[field] = None if value is None else _text(field, value)
    if "timestamp" not in mapped and named["timestamp"] is not None:
        named["timestamp"] = time(named["timestamp"])
    if (
        "message" not in mapped
        and named["message"] is not None
        and (stack := next(filter(None, (_at(row, name) for name in _STACKS)), None))
    ):
        named["message"] += "\n" + (stack if isinstance(stack, str) else json.dumps(stack, ensure_ascii=False))
    return named


def _at(row: Row, name: str) -> Any:
    """What is found under a name, or along its parts: ``log.level`` is ``{"log": {"level": ...}}`` too."""
    if name in row and not isinstance(row[name], dict):
        return row[name]
    found: Any = row
    for part in name.split(".") if "." in name else (name, "name"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _text(field: str, value: Any) -> str:
    if field == "level" and isinstance(value, int) and not isinstance(value, bool):
        return _PINO.get(value, str(value))
    if field == "level" and isinstance(value, str):
        return _SYSLOG.get(value, value)
    if field == "timestamp" and isinstance(value, float):
        return f"{value:.6f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _container(row: Row) -> Row:
    """A line of a container, whose program may have logged JSON itself."""
    log = row.get("log")
    if not isinstance(log, str):
        return row
    about = row.get("kubernetes") if isinstance(row.get("kubernetes"), dict) else {}
    labels = about.get("labels") if isinstance(about, dict) and isinstance(about.get("labels"), dict) else {}
    attributes = row["attrs"] if isinstance(row.get("attrs"), dict) else {}
    service = next(
        (
            name
            for name in (
                *((labels or {}).get(key) for key in ("app.kubernetes.io/name", "app", "k8s-app")),
                (about or {}).get("container_name"),
                attributes.get("tag"),
                row.get("container_name"),
            )
            if name
        ),
        None,
    )
    around = {"service": service, "instance": (about or {}).get("pod_name"), "time": row.get("time", row.get("@timestamp"))}
    known = {key: value for key, value in around.items() if value}
    if log.startswith("{"):
        try:
            inner = json.loads(log)
        except ValueError:
            inner = None
        if isinstance(inner, dict):
            return known | inner
    return known | {"message": log.rstrip("\r\n"), "\0partial": not log.endswith("\n"), "\0container": True}


def _joined(numbered: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    """Lines of a container that belong together, as one: parts of a long line, and stack traces."""
    held: tuple[int, Row] | None = None
    partial, trace = False, Trace("")
    for number, row in numbered:
        text, in_container = str(row.get("message", "")), bool(row.pop("\0container", False))
        was_partial, partial = partial, bool(row.pop("\0partial", False)) and in_container
        if held is not None and in_container and (was_partial or trace.goes_on(text)):
            held[1]["message"] += text if was_partial else "\n" + text
            trace.take(text)
            continue
        if held is not None:
            yield held
        held, trace = (number, row), Trace(text)
    if held is not None:
        yield held


def _otel(found: Row) -> Iterator[Row]:
    """Log records of the OpenTelemetry protocol as JSON (opentelemetry.proto.logs.v1)."""
    for resource in _list(found, "resourceLogs"):
        about = _attributes(_dict(resource, "resource"))
        instance = next((about[key] for key in ("service.instance.id", "k8s.pod.name", "host.name") if key in about), None)
        for scope in _list(resource, "scopeLogs"):
            logger = _dict(scope, "scope").get("name")
            for record in _list(scope, "logRecords"):
                yield {"service": about.get("service.name"), "instance": instance, "logger": logger} | _otel_record(record)


def _otel_record(record: Row) -> Row:
    own = _attributes(record)
    row: Row = {"timestamp": next((str(record[key]) for key in ("timeUnixNano", "observedTimeUnixNano") if record.get(key)), None)}
    body = _value(record.get("body"))
    told = [body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)] if body is not None else []
    told += [str(own[key]) for key in ("exception.type", "exception.message", "exception.stacktrace") if key in own]
    row["message"] = "\n".join(told) if told else own.get("event.name")
    number = record.get("severityNumber")
    by_number = _OTEL_LEVELS[min((number - 1) // 4, 5)] if isinstance(number, int) and number > 0 else None
    row["level"] = record.get("severityText") or by_number
    row["trace_id"] = record.get("traceId")
    if "code.filepath" in own and "code.lineno" in own:
        row["logger"] = f"{own['code.filepath']}:{own['code.lineno']}"
    return row


def _attributes(holder: Row) -> Row:
    return {str(each.get("key")): _value(each.get("value")) for each in _list(holder, "attributes")}


def _value(value: Any) -> Any:
    """Of an AnyValue."""
    if not isinstance(value, dict):
        return value
    if "kvlistValue" in value:
        return {str(each.get("key")): _value(each.get("value")) for each in _list(_dict(value, "kvlistValue"), "values")}
    if "arrayValue" in value:
        return [_value(each) for each in _list(_dict(value, "arrayValue"), "values")]
    return next(iter(value.values()), None)


def _list(holder: Row, key: str) -> list[Any]:
    found = holder.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _dict(holder: Row, key: str) -> Row:
    found = holder.get(key)
    return found if isinstance(found, dict) else {}
