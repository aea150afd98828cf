"""Options that the gate's commands share; argparse, because the gate that is one file has no click."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from include.freezeline.adapters.published_source import KEY_NAME, PublishedSource, ReadS3
from include.freezeline.adapters.sequence_memory import SequenceMemory
from include.freezeline.jobs.ask_gate import GateAccess

UNPINNED = (
    f"note: trusting the public key beside the document ({KEY_NAME}); pin it with --public-key so "
    "that whoever can write there cannot sign too"
)

_LOCAL_KEY = Path("keys") / "freeze_signing.pub.pem"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What differs between the product and the gate that is one file.

    Attributes:
        program: How the command is called, for its help.
        read_s3: Reads from buckets.
    """

    program: str
    read_s3: ReadS3


def make_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that say what to read and whom to trust."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        # A shortened option would change its meaning with the next one that begins alike.
        allow_abbrev=False,
    )
    parser.add_argument(
        "--source",
        type=not_empty,
        metavar="URI",
        help="folder, file or URI (file://, http://, https://, s3://) of freeze.json "
        "[default: the published URI]",
    )
    parser.add_argument(
        "--public-key",
        dest="public_keys",
        metavar="FILE",
        action="append",
        type=Path,
        default=[],
        help="trusted public key (PEM); give two while a key is being replaced [default: the key "
        "made on this machine, else the one beside the document]",
    )
    parser.add_argument(
        "--min-sequence",
        metavar="NUMBER",
        type=int,
        default=0,
        help="refuse documents with a lower sequence (replayed old ones)",
    )
    parser.add_argument(
        "--state-file",
        metavar="FILE",
        type=Path,
        help="remember the highest sequence of each source here, and refuse documents with a lower "
        "one from then on",
    )
    return parser


def access_of(options: argparse.Namespace, read_s3: ReadS3) -> GateAccess:
    """Return what the options let the gate read."""
    return GateAccess(
        source=PublishedSource(options.source or default_source(), read_s3),
        public_keys=tuple(options.public_keys) or _local_keys(),
        memory=SequenceMemory(options.state_file),
        min_sequence=options.min_sequence,
    )


def default_source() -> str:
    """Return the published URI, as the settings have it; reading all of them would take longer."""
    home = os.environ.get("FREEZELINE_HOME") or ".freezeline"
    given = os.environ.get("FREEZELINE_PUBLISH_URI")
    return given or (Path(home) / "published").resolve().as_uri()


def read_clock() -> datetime:
    """Return the time of a question; the command line is where the wall clock is read."""
    return datetime.now(UTC)


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse arguments; a mistake ends the program with status 2."""
    return parser.parse_args(list(arguments))


def not_empty(text: str) -> str:
    """Refuse an empty text, as a variable that is not set gives it."""
    if not text:
        message = "must not be empty (is a variable of the pipeline not set?)"
        raise argparse.ArgumentTypeError(message)
    return text


def _local_keys() -> tuple[Path, ...]:
    """Return the public key that publishing made on this machine, if it did."""
    path = Path(os.environ.get("FREEZELINE_HOME") or ".freezeline") / _LOCAL_KEY
    return (path,) if path.is_file() else ()
