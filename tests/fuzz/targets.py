"""What is fuzzed, and what must hold: no crash, no hang, no raw value out.

A target takes bytes and raises ``AssertionError`` when something that must hold does not. Any
other exception is a crash. The targets know nothing of a fuzzer, so a test can drive them too.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import as_file, files
from typing import cast

import pyarrow as pa

from include.freezeline.adapters.lake import Lake
from include.freezeline.adapters.object_store import ObjectStore
from include.freezeline.errors import ReadError
from include.freezeline.jobs.land_object import Tools, read_telemetry
from include.freezeline.landing.guard import Guard
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.process import Delivery, Pile, process_object
from include.freezeline.readers.rules import load_landing_rules
from include.freezeline.redaction.engine import load_redactor
from include.freezeline.redaction.pseudonyms import Pseudonymiser

# Values that seeds carry; a mutation that leaves one whole must not carry it through.
MAIL = "ingrid.holt@example.org"
CARD = "4111 1111 1111 1111"
PLANTED = (MAIL, CARD)
_WHOLE_VALUES = re.compile(
    r"(?<![\w.%+@\-])ingrid\.holt@example\.org(?![\w.@\-])|(?<![\w.\-+/])4111 1111 1111 1111(?! ?[\w.\-/])"
)
_MAX_TEXT_BYTES = 20_000

with as_file(files("include").joinpath("config")) as _config:
    _RULES = load_landing_rules(_config)
    _REDACTOR = load_redactor(_config)
_TOOLS = Tools(
    store=cast("ObjectStore", None),
    lake=cast("Lake", None),
    rules=_RULES,
    facts={},
    guard=Guard(_REDACTOR.scope, Pseudonymiser(b"fuzz"), _REDACTOR.look),
    as_of=datetime(2026, 10, 2, tzinfo=UTC),
)


def land_bytes(data: bytes) -> None:
    """Land an object of any bytes as far as the files: its books add up, no value comes out."""
    due = DueObject(
        "traces/fuzz", "traces", "traces", "", len(data), _TOOLS.as_of, may_replace=False
    )
    pile = Pile()
    try:
        result = process_object(
            read_telemetry(_TOOLS, due, data), Delivery(due, ""), _TOOLS.guard, pile
        )
    except ReadError:
        return
    ledger = result.ledger
    counted = ledger["landed_count"] + ledger["duplicate_count"] + ledger["quarantined_count"]
    assert ledger["record_count"] == counted, "a record is lost"
    for text in (*_written(pile), str(result.quarantine)):
        found = _WHOLE_VALUES.search(text)
        assert found is None, f"a planted value came out: {found}"


def land_framed(data: bytes) -> None:
    """Read the same bytes as one frame of a framed file."""
    land_bytes(len(data).to_bytes(4, "big") + data)


def redact_text(data: bytes) -> None:
    """Redact a text twice: nothing is dropped, and the second time changes nothing."""
    text = data[:_MAX_TEXT_BYTES].decode("utf-8", "replace")
    scope = _REDACTOR.scope()
    once = scope.redact_text(text)
    assert not once.is_dropped, "a text could not be scanned"
    assert scope.redact_text(once.text).text == once.text, "the redacted text is not at rest"
    for finding in once.findings:
        assert 0 <= finding.start < finding.end <= len(text), "an offset is outside the text"
    assert _WHOLE_VALUES.search(once.text) is None, "a planted value came out"


def redact_json(data: bytes) -> None:
    """Redact a text as JSON: whatever it was, JSON comes out."""
    text = data[:_MAX_TEXT_BYTES].decode("utf-8", "replace")
    redacted = _REDACTOR.scope().redact_json(text)
    json.loads(redacted.text)
    assert _WHOLE_VALUES.search(redacted.text) is None, "a planted value came out"


def _written(pile: Pile) -> Iterator[str]:
    """Yield every text that landing would write."""
    for _, _, table in pile.data:
        for column in table.columns:
            if pa.types.is_string(column.type) or pa.types.is_list(column.type):
                yield from map(str, column.drop_null().to_pylist())


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "land_bytes": land_bytes,
    "land_framed": land_framed,
    "redact_text": redact_text,
    "redact_json": redact_json,
}
