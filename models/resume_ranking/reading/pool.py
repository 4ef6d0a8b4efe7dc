"""Processes that read files, kept warm between files and replaced when one dies."""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .document import Document, unreadable
from .sniff import MOST_BYTES

# Loads this package alone, under a name of its own: the models' other parts would bring in their libraries.
_START = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
folder, memory_bytes, cpu_seconds = sys.argv[1:]
spec = spec_from_file_location("reading", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["reading"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["reading"])
from reading.worker import main
main(int(memory_bytes), int(cpu_seconds))
"""


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    Parameters
    ----------
    cpu_seconds
        Processor time; the system ends the process a second later at the latest.
    wall_seconds
        Time on the clock, for a machine that is busy or has no processor limits.
    memory_bytes
        Address space of the process, Python and its libraries included.
    """

    cpu_seconds: int = 4
    wall_seconds: float = 30.0
    memory_bytes: int = 300_000_000


class Readers:
    """A pool of reading processes; safe to use from several threads.

    Parameters
    ----------
    count
        Processes at most; they start when first needed.
    limits
        What one file may cost.
    """

    def __init__(self, count: int, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._slots: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(count):
            self._slots.put(None)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="read")

    def read(self, data: bytes, name: str = "") -> Document:
        """One file; waits for a free process."""
        if len(data) > MOST_BYTES:
            return unreadable(f"the file has {len(data):,} bytes; at most {MOST_BYTES:,} are read")
        process = self._slots.get()
        try:
            if process is None or not process.alive():
                process = _Process(self._limits)
            document = process.read(data, name)
        except OSError as error:
            document, process = unreadable(f"no process could be started to read the file: {error.strerror}"), None
        finally:
            self._slots.put(process if process is not None and process.alive() else None)
        return document

    def read_all(self, files: Iterable[tuple[bytes, str]]) -> list[Document]:
        """Many files, side by side; answers in their order."""
        return list(self._threads.map(lambda file: self.read(*file), files))

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=True)
        while not self._slots.empty():
            if (process := self._slots.get_nowait()) is not None:
                process.end()


class _Process:
    def __init__(self, limits: Limits) -> None:
        command = [sys.executable, "-P", "-c", _START, str(Path(__file__).parent), str(limits.memory_bytes), str(limits.cpu_seconds)]
        # Nothing else of the environment: who breaks out of a parser should find no passwords there.
        environment = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(folder for folder in sys.path if folder)
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._limits = limits

    def alive(self) -> bool:
        return self._process.poll() is None

    def read(self, data: bytes, name: str) -> Document:
        late = threading.Timer(self._limits.wall_seconds, self._process.kill)
        late.start()
        try:
            reply = self._ask(json.dumps({"name": name, "size": len(data)}).encode() + b"\n" + data)
        except (OSError, ValueError):
            reply = None
        finally:
            timed_out = not late.is_alive()
            late.cancel()
        if reply is not None:
            return Document.from_json(json.loads(reply))
        self.end()
        return unreadable(self._why(timed_out))

    def _ask(self, frame: bytes) -> bytes | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        stdin.write(frame)
        stdin.flush()
        size = stdout.readline()
        reply = stdout.read(int(size)) if size else b""
        return reply if size and len(reply) == int(size) else None

    def _why(self, timed_out: bool) -> str:
        if timed_out:
            return f"reading the file takes more than {self._limits.wall_seconds:g} seconds"
        if self._process.returncode in _OUT_OF_TIME:
            return f"reading the file takes more than {self._limits.cpu_seconds} seconds of processor time"
        return "reading the file ended its process, as a lack of memory does"

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


_OUT_OF_TIME = (-24, -9)  # SIGXCPU, or the hard limit's SIGKILL

_shared: Readers | None = None
_lock = threading.Lock()


def shared() -> Readers:
    """The process's own pool, one reader per core, four at most; it ends with the process."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = Readers(min(4, os.cpu_count() or 1))
            atexit.register(_shared.close)
        return _shared


def read(data: bytes, name: str = "", media_type: str = "") -> Document:
    """Read one file; what cannot be read is an answer, with the reason, and never an exception.

    Parameters
    ----------
    name, media_type
        Only hints: what the file is, its content says.
    """
    return shared().read(data, name)


def read_all(files: Sequence[tuple[bytes, str]]) -> list[Document]:
    """Read many files, each its bytes and its name, side by side; answers in their order."""
    return shared().read_all(files)
