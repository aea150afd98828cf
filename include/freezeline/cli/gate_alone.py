"""The release gate as a program of its own: ``check`` and ``serve`` without the rest of Freezeline."""

import sys
from collections.abc import Sequence

from include.freezeline.adapters.published_s3 import read_s3
from include.freezeline.cli.gate_check import check
from include.freezeline.cli.gate_options import Surroundings
from include.freezeline.cli.gate_serve import serve

_COMMANDS = {"check": check, "serve": serve}
_PROGRAM = "freezeline_gate.py"
_USAGE = f"""usage: {_PROGRAM} {{check,serve}} ...

  check   may this change ship? The exit code is the answer; 0 is the only yes
  serve   the same over HTTP
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["-h"], ["--help"]):
        sys.stdout.write(_USAGE)
        return 0
    command = _COMMANDS.get(given[0]) if given else None
    if command is None:
        sys.stderr.write(_USAGE)
        return 2
    return command(given[1:], Surroundings(_PROGRAM, read_s3))


if __name__ == "__main__":
    sys.exit(main())
