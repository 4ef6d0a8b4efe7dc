"""Programs that start, run and end together: the API and the MLflow UI of ``foretell up``."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ForetellError, InputError

_STOP_SECONDS = 10
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Program:
    """A server to be started.

    Parameters
    ----------
    name
        What messages call it.
    command
        The program and its arguments.
    ready
        Address that answers 200 once it is ready.
    log
        File that takes what it prints; its folder is created.
    variables
        Environment variables, beside those of this process.
    """

    name: str
    command: Sequence[str]
    ready: str
    log: Path
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """A program that was started, in a process group of its own."""

    program: Program
    process: subprocess.Popen[bytes]

    def wait_until_ready(self, timeout_seconds: float) -> None:
        """Return once it answers.

        Raises
        ------
        ForetellError
            If it ends, or does not answer in time.
        """
        deadline = time.monotonic() + timeout_seconds
        while not _answers(self.program.ready):
            if (code := self.process.poll()) is not None:
                raise ForetellError(f"expected {self.program.name} to start, it ended with code {code}: see {self.program.log}")
            if time.monotonic() > deadline:
                raise ForetellError(f"expected {self.program.name} within {timeout_seconds:.0f} seconds: see {self.program.log}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End it and all that it started; politely at first."""
        for demand, patience in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            try:
                os.killpg(self.process.pid, demand)
                self.process.wait(patience)
            except ProcessLookupError:
                self.process.poll()
                return
            except subprocess.TimeoutExpired:
                continue


@contextmanager
def running(program: Program) -> Iterator[Running]:
    """Run a program as long as the block lasts."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    with program.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - the commands are our own
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **program.variables},
            start_new_session=True,
        )
    started = Running(program, process)
    try:
        yield started
    finally:
        started.stop()


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """End the block on Ctrl-C or SIGTERM, as the ordinary way to stop what runs in it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_for_any(started: Sequence[Running]) -> None:
    """Return never, unless a program ends by itself.

    Raises
    ------
    ForetellError
        When one does.
    """
    while True:
        for each in started:
            if (code := each.process.poll()) is not None:
                raise ForetellError(f"{each.program.name} ended with code {code}: see {each.program.log}")
        time.sleep(_POLL_SECONDS)


def require_free(host: str, port: int, option: str) -> None:
    """Make sure that nobody listens on a port.

    Raises
    ------
    InputError
        If somebody does.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of an earlier run that is still closing does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = "another program listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)
            raise InputError(f"expected port {port} of {host} to be free, {reason}: stop it, or choose another with {option}") from error


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:  # noqa: S310 - our own, on this machine
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
