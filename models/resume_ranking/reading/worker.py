"""A process that reads files for others: one that brings it down costs nobody else.

`pool` starts it. Frames on standard input: a JSON line with ``size`` and ``name``, then the bytes. Frames on standard output: a JSON
line with the size of the answer, then the answer.
"""

from __future__ import annotations

import json
import sys
from typing import BinaryIO

from .sniff import text_of


def main(memory_bytes: int, cpu_seconds: int) -> None:
    """Answer frames until the input ends."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # a library that prints must not break the frames
    sys.setrecursionlimit(3_000)
    _bound_memory(memory_bytes)
    while frame := _frame(sys.stdin.buffer):
        name, data = frame
        _bound_time(cpu_seconds)
        reply = json.dumps(text_of(data, name).as_json()).encode()
        answers.write(b"%d\n" % len(reply) + reply)
        answers.flush()


def _frame(stream: BinaryIO) -> tuple[str, bytes] | None:
    line = stream.readline()
    if not line:
        return None
    head = json.loads(line)
    return head["name"], stream.read(head["size"])


def _bound_memory(memory_bytes: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        return  # not on this system: the time limit and the file's own bounds remain


def _bound_time(cpu_seconds: int) -> None:
    """Let the process die when this file takes too long; the limit counts from the process's start."""
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    except (ImportError, ValueError, OSError):
        return
