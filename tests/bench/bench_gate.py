"""How long does a pipeline wait for the gate to start, read a document and answer?

``python -m tests.bench.bench_gate [--quick]`` asks the product's command and the gate that is one
file in turns, each a new process as in a pipeline, with an interpreter that does nothing beside
them, and prints the median of each and how many times the bare interpreter it is. The promise is
300 ms. Then it lists the imports that take longest (``python -X importtime``). ``--quick`` asks
twice only, so that the program is tested.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from include.freezeline.jobs.gate_file import build_gate_file
from tests.unit.freeze.documents import NOW_TEXT
from tests.unit.freeze.gates import publish_to

N_ROUNDS, QUICK_ROUNDS = 21, 2
N_IMPORTS = 8
PROMISE_S = 0.3
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ask twice only")
    n_rounds = QUICK_ROUNDS if parser.parse_args(arguments).quick else N_ROUNDS
    with tempfile.TemporaryDirectory() as name:
        programs = _programs(Path(name))
        seconds = _measure(programs, n_rounds)
        bare_s = median(seconds["bare interpreter"])
        print(f"{'asked ' + str(n_rounds) + ' times':<22}{'median':>9}{'slowest':>9}{'ratio':>7}")
        for label, found in seconds.items():
            found_s = median(found)
            print(
                f"{label:<22}{found_s * 1000:>6.0f} ms{max(found) * 1000:>6.0f} ms{found_s / bare_s:>7.1f}"
            )
        within = all(median(found) <= PROMISE_S for found in seconds.values())
        print(f"within {PROMISE_S * 1000:.0f} ms: {'yes' if within else 'NO'}")
        for label in list(programs)[1:]:
            print(f"\nlongest imports of the {label}, with what they import")
            for line in _longest_imports(programs[label]):
                print(line)


def _programs(folder: Path) -> dict[str, list[str]]:
    """Return what to run; the gates find a document that allows."""
    source = publish_to(folder / "published")
    gate = folder / "freezeline_gate.py"
    gate.write_text(build_gate_file(), encoding="utf-8")
    asked = ["check", "--feature", "calm", "--source", str(source), "--at", NOW_TEXT,
             "--public-key", str(source / "freeze.pub.pem")]  # fmt: skip
    return {
        "bare interpreter": ["-c", "pass"],
        "product's command": ["-m", "include.freezeline", "gate", *asked],
        "gate in one file": [str(gate), *asked],
    }


def _measure(programs: dict[str, list[str]], n_rounds: int) -> dict[str, list[float]]:
    """Run the programs in turns and return the seconds of each run."""
    seconds: dict[str, list[float]] = {label: [] for label in programs}
    for _ in range(n_rounds):
        for label, arguments in programs.items():
            began = time.perf_counter()
            _run(arguments)
            seconds[label].append(time.perf_counter() - began)
    return seconds


def _run(arguments: Sequence[str]) -> str:
    """Run Python and return its standard error."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    )
    return done.stderr


def _longest_imports(arguments: Sequence[str]) -> list[str]:
    """Return the imports that take longest, longest first."""
    found = _IMPORT.findall(_run(["-X", "importtime", *arguments]))
    found.sort(key=lambda match: -int(match[1]))
    return [f"{int(total) / 1000:>7.1f} ms  {name}" for _, total, _, name in found[:N_IMPORTS]]


if __name__ == "__main__":
    main()
