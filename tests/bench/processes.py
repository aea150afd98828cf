"""Run a program for a bench and watch how much memory it and its children hold."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

POLL_S = 0.1


@dataclass(slots=True)
class Watched:
    """A finished program.

    Attributes:
        wall_s: Seconds it ran.
        cpu_s: CPU seconds of all its processes.
        samples: Time and resident bytes of all its processes together, ten times a second. Memory
            that processes share counts once for each.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    samples: list[tuple[float, int]] = field(default_factory=list)

    def peak_bytes(self, began_s: float = 0.0, ended_s: float = float("inf")) -> int:
        """Return the most that was held in a stretch of time; 0 when nothing was sampled."""
        return max((held for at, held in self.samples if began_s <= at <= ended_s), default=0)


def run_watched(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Watched:
    """Run a module of Python to its end.

    Raises:
        CalledProcessError: It failed.
    """
    watched, is_over = Watched(), threading.Event()
    command = [sys.executable, "-m", module, *arguments]
    began, cpu_s = time.perf_counter(), _children_cpu_s()
    program = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - our own module

    def watch() -> None:
        root = psutil.Process(program.pid)
        while not is_over.wait(POLL_S):
            watched.samples.append((time.time(), _held_bytes(root)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        status = program.wait()
    finally:
        is_over.set()
        thread.join()
    watched.wall_s, watched.cpu_s = time.perf_counter() - began, _children_cpu_s() - cpu_s
    if status:
        raise subprocess.CalledProcessError(status, command)
    return watched


def _children_cpu_s() -> float:
    """Return the CPU seconds of all children that have ended, and of theirs."""
    return sum(os.times()[2:4])


def _held_bytes(root: psutil.Process) -> int:
    """Return the resident memory of a process and its children; some may just have ended."""
    held = 0
    with suppress(psutil.NoSuchProcess):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                held += process.memory_info().rss
    return held
