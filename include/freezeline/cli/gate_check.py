"""``gate check``: may this change of these features ship? The exit code is the answer."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from include.freezeline.cli.gate_options import (
    UNPINNED,
    Surroundings,
    access_of,
    make_parser,
    not_empty,
    parse,
    read_clock,
)
from include.freezeline.freeze.gate import CHANGE_CLASSES, parse_moment
from include.freezeline.freeze.verdict import Question
from include.freezeline.freeze.verdict_formats import FORMATS, render
from include.freezeline.jobs.ask_gate import ask_gate

_ABOUT_CHECK = """Exit 0: ship. 3: frozen. 4: document stale or not trustworthy. 5: unknown feature.
Of several features the most severe answer decides: 4, then 5, then 3. Every other exit code is a
block as well."""


def check(arguments: Sequence[str], around: Surroundings) -> int:
    """Run the command and return its exit code."""
    options = parse(_parser(around.program), arguments)
    access = access_of(options, around.read_s3)
    question = Question(
        tuple(options.features), options.environment, options.change_class, options.change_ref
    )
    if not access.public_keys:
        _say(UNPINNED, sys.stderr)
    verdict = ask_gate(access, question, options.at or read_clock())
    answer, sentences = render(verdict, options.format)
    _say(answer, sys.stdout)
    if sentences:
        _say(sentences, sys.stderr)
    return verdict.exit_code


def _parser(program: str) -> argparse.ArgumentParser:
    """Return the parser of the command."""
    parser = make_parser(f"{program} check", _ABOUT_CHECK)
    parser.add_argument(
        "--feature",
        dest="features",
        type=not_empty,
        metavar="NAME",
        action="append",
        required=True,
        help="feature that changes, as in the freeze document; give each of several",
    )
    parser.add_argument(
        "--environment",
        type=not_empty,
        metavar="NAME",
        default="production",
        help="where it ships to [default: %(default)s]",
    )
    parser.add_argument(
        "--change-class",
        choices=CHANGE_CLASSES,
        default="feature",
        help="kind of change; rollbacks and fixes may ship while features are frozen "
        "[default: %(default)s]",
    )
    parser.add_argument(
        "--change-ref",
        metavar="REF",
        help="the change that asks, for overrides that are for one change only",
    )
    parser.add_argument(
        "--at", type=_moment, metavar="TIME", help="time of the question, ISO 8601 [default: now]"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help="standard output; beside json and junit the sentence for people goes to standard "
        "error [default: %(default)s]",
    )
    return parser


def _moment(text: str) -> datetime:
    """Parse the time of the question."""
    try:
        return parse_moment(text)
    except ValueError:
        message = f"{text!r} is not a time with an offset (write 2026-10-14T06:00:00Z)"
        raise argparse.ArgumentTypeError(message) from None


def _say(text: str, stream: TextIO) -> None:
    """Write a line, escaping what the stream cannot encode: the answer must not fail for it."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
