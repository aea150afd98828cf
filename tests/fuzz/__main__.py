"""Run the coverage-guided fuzzer: ``python -m tests.fuzz [TARGET ...] [--runs N]``.

Every target runs in a process of its own with its share of the runs. An input that breaks
something is written to ``.fuzz/<target>/`` and the exit status is not zero.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# A share per target; the formats have far more code than the redactor has.
_SHARES = {"land_bytes": 5, "land_framed": 1, "redact_text": 2, "redact_json": 2}
_FOLDER = Path(".fuzz")
_SLOWEST_INPUT_S = 20
_MAX_INPUT_BYTES = 4096
_MAX_MEMORY_MB = 3000


def main(arguments: Sequence[str]) -> int:
    """Fuzz the targets one after the other and say how each ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*_SHARES, []], help="default: all")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs over all targets")
    parser.add_argument("--seed", type=int, default=1, help="seed of the mutations")
    options = parser.parse_args(arguments)
    targets = options.targets or list(_SHARES)
    total = sum(_SHARES[name] for name in targets)
    failed = []
    for name in targets:
        runs = -(-options.runs * _SHARES[name] // total)
        print(f"== {name}: {runs:,} inputs", flush=True)
        if _run(name, runs, options.seed):
            failed.append(name)
    print(f"{'FAILED: ' + ', '.join(failed) if failed else 'no crash, no hang, no raw value out'}")
    return 1 if failed else 0


def _run(name: str, runs: int, seed: int) -> int:
    """Fuzz one target in a fresh process, because instrumentation holds for the whole process."""
    command = [sys.executable, "-m", "tests.fuzz.driver", name, str(_FOLDER / name)]
    limits = [
        f"-runs={runs}", f"-seed={seed}", f"-timeout={_SLOWEST_INPUT_S}",
        f"-max_len={_MAX_INPUT_BYTES}", f"-rss_limit_mb={_MAX_MEMORY_MB}", "-print_final_stats=1",
        "-verbosity=1", "-close_fd_mask=1",
    ]  # fmt: skip
    return subprocess.run([*command, *limits], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
