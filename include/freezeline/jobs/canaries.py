"""Canaries: send made-up personal data through the readers and the redactor before every run."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.config import config_dir
from include.freezeline.errors import RedactionError
from include.freezeline.jobs.land_object import Tools, open_tools, read_telemetry
from include.freezeline.landing.canaries import canary_rows, canary_seed, plant_canaries
from include.freezeline.landing.plan import DueObject
from include.freezeline.landing.process import Delivery, Pile, process_object
from include.freezeline.landing.records import Row
from include.freezeline.redaction.rules import load_redaction_config
from include.freezeline.settings import Settings

_N_PER_PLACE = 2
_LEAST_RECALL = 0.9


def check_canaries(settings: Settings, books: LakeBooks, nights: Collection[datetime]) -> None:
    """Measure what redaction still finds, keep it for every night, and stop when it fails.

    Values differ from night to night and are the same whenever a night is done again.

    Args:
        settings: Where the rules are.
        books: Where the rows are kept; nights that have some are not done again, except the last.
        nights: Ends of the nights to be landed.

    Raises:
        RedactionError: A kind of value that the rules name came out again too often. Nothing
            has been landed then.
    """
    recorded = {(row["night_as_of"], row["entity_type"]): row for row in books.canaries()}
    known = {night for night, _ in recorded}
    last = max(nights, default=None)
    due = [night for night in sorted(nights) if night not in known or night == last]
    tools = open_tools(settings, last) if last is not None and due else None
    rows = [row for night in due if tools is not None for row in _of_night(tools, night)]
    if rows:
        recorded.update({(row["night_as_of"], row["entity_type"]): row for row in rows})
        books.write_canaries([recorded[key] for key in sorted(recorded)])
        _require_recall(settings, rows)


def _of_night(tools: Tools, night: datetime) -> Sequence[Row]:
    """Return the canary rows of one night."""
    canaries, document = plant_canaries(canary_seed(night), _N_PER_PLACE)
    pile = Pile()
    object_ = DueObject(
        key="canaries/document.json",
        source_name="canaries",
        kind="traces",
        etag="",
        size_bytes=len(document),
        arrived_at=night,
        may_replace=False,
    )
    reading = read_telemetry(tools, object_, document)
    result = process_object(reading, Delivery(object_, ""), tools.guard, pile)
    books = (*result.quarantine, result.ledger)
    return canary_rows(canaries, [*_texts(pile), *map(str, books)], night)


def _texts(pile: Pile) -> Iterator[str]:
    """Yield every text that would have been written."""
    for _, _, data in pile.data:
        for column in data.columns:
            yield from map(str, filter(None, column.to_pylist()))


def _require_recall(settings: Settings, rows: Iterable[Row]) -> None:
    """Refuse to land while redaction misses what its rules name."""
    named = {rule.entity for rule in load_redaction_config(config_dir(settings)).rules}
    for row in rows:
        if row["entity_type"] in named and row["recall_ratio"] < _LEAST_RECALL:
            n_lost = row["planted_count"] - row["found_count"]
            message = (
                f"redaction/default.yml: {row['entity_type']}: {n_lost} of "
                f"{row['planted_count']} planted values came out again on the night of "
                f"{row['night_as_of']:%Y-%m-%d}, expected at most {1 - _LEAST_RECALL:.0%}; nothing "
                "was landed (see that the rule's prefilter, hints and context still let it run)"
            )
            raise RedactionError(message)
