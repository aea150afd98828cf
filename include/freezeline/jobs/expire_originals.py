"""End the life of sealed originals: destroy the keys of days that are over, and prove it.

What a legal hold covers is sealed again with a key of its own, in the archive, before the day's
key goes; a later run destroys that key too, once the hold is lifted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import pyarrow as pa

from include.freezeline.adapters.audit_log import AuditLog, audit_log
from include.freezeline.adapters.key_files import DayKey, KeyFiles, key_files, load_master_key
from include.freezeline.adapters.sealed_files import SealedFiles
from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError
from include.freezeline.jobs.retention_inventory import cold_dir
from include.freezeline.retention.plan import is_over
from include.freezeline.retention.policy import LegalHold, load_retention_policy
from include.freezeline.sealing.audit import NewEvent
from include.freezeline.sealing.cipher import DayCipher, MasterKey
from include.freezeline.sealing.policy import load_break_glass_policy
from include.freezeline.sealing.sealer import identity_of
from include.freezeline.settings import Settings

_PERSON = "break-glass expire"
_HELD = ".held-"


@dataclass(frozen=True, slots=True)
class ExpirySummary:
    """What a run did.

    Attributes:
        as_of: Its night.
        n_destroyed: Keys destroyed.
        n_rows: Sealed rows that nobody can read any more.
        n_held: Rows that a legal hold keeps readable.
        n_open: Keys whose time is not over.
    """

    as_of: datetime
    n_destroyed: int
    n_rows: int
    n_held: int
    n_open: int

    def lines(self) -> list[str]:
        """Return the summary as lines for people."""
        return [
            f"as of {self.as_of:%Y-%m-%d}: {self.n_destroyed:,} keys destroyed, "
            f"{self.n_rows:,} sealed rows with them; {self.n_open:,} keys stay open, "
            f"{self.n_held:,} rows under a legal hold"
        ]


def expire_originals(settings: Settings, as_of: datetime) -> ExpirySummary:
    """Destroy every key whose day is over on ``as_of``, with a proof row in the audit log.

    It needs no master key, unless a hold covers something, and does the same when the policy has
    been switched off meanwhile.

    Raises:
        BreakGlassError: A key cannot be destroyed or its proof not written; run it again.
        ConfigError: A policy is wrong, or a hold needs a master key that is not set; the keys of
            all other days are destroyed nevertheless.
    """
    policies = config_dir(settings)
    lifetime_days = load_break_glass_policy(policies).lifetime_days
    files, log = key_files(settings), audit_log(settings)
    desk = _Expiry(settings, files, load_retention_policy(policies).legal_holds, as_of)
    due = [key for key in files.all() if is_over(key.key_date, lifetime_days, as_of.date())]
    ended: list[tuple[int, DayKey | None]] = []
    failure: ConfigError | None = None
    for key in due:
        try:
            if not key.is_destroyed:
                ended.append(desk.end(key, f"{lifetime_days} days are over"))
        except ConfigError as error:  # one day's hold must not lengthen the life of the others
            failure = failure or error
    _prove(files, log)
    if failure is not None:
        raise failure
    stones = [stone for _, stone in ended if stone is not None]
    n_open = sum(not key.is_destroyed for key in files.all())
    return ExpirySummary(
        as_of=as_of,
        n_destroyed=len(stones),
        n_rows=sum(stone.row_count or 0 for stone in stones),
        n_held=sum(n_held for n_held, _ in ended),
        n_open=n_open,
    )


class _Expiry:
    """One run over the keys that are due."""

    def __init__(
        self,
        settings: Settings,
        files: KeyFiles,
        holds: tuple[LegalHold, ...],
        as_of: datetime,
    ) -> None:
        """Look at a home."""
        self._settings = settings
        self._files = files
        self._holds = holds
        self._as_of = as_of
        self._sealed = SealedFiles(settings.lake_dir, cold_dir(settings))

    def end(self, key: DayKey, reason: str) -> tuple[int, DayKey | None]:
        """Destroy a key, after what a hold covers was sealed with another.

        Returns:
            Rows that a hold keeps, and the tombstone; None while a hold covers all the key sealed.
        """
        found = list(self._sealed.of_key(key.key_name, key.key_date))
        held = {path: self._held(rows) for path, rows in found}
        n_all = sum(rows.num_rows for _, rows in found)
        n_held = sum(rows.num_rows for rows in held.values())
        if n_held == n_all and _HELD in key.key_name and n_held:
            return n_held, None
        if n_held:
            self._seal_again(key, {path.stem: rows for path, rows in held.items()})
        n_texts = sum(sum(rows["text_count"].to_pylist()) for _, rows in found)
        n_texts -= sum(sum(rows["text_count"].to_pylist()) for rows in held.values())
        stone = self._files.destroy(
            key, self._as_of, reason, text_count=n_texts, row_count=n_all - n_held
        )
        for path, _ in found:
            self._sealed.drop(path, key.key_name)
        return n_held, stone

    def _held(self, rows: pa.Table) -> pa.Table:
        """Return the rows that a legal hold covers."""
        pairs = zip(rows["event_at"].to_pylist(), rows["environment"].to_pylist(), strict=True)
        mask = [
            any(hold.covers(event_at.date(), environment) for hold in self._holds)
            for event_at, environment in pairs
        ]
        return rows.filter(pa.array(mask, pa.bool_()))

    def _seal_again(self, key: DayKey, held: Mapping[str, pa.Table]) -> None:
        """Seal held rows with a key of their own, in the archive."""
        master = load_master_key(self._settings)
        before = DayCipher(self._files.open(key.key_name, master))
        name, plain = self._held_key(key, master)
        after = DayCipher(plain)
        for file_name, rows in held.items():
            again = [_sealed_again(row, before, after, name) for row in rows.to_pylist()]
            if again:
                data = pa.Table.from_pylist(again, schema=rows.schema)
                self._sealed.keep(file_name, key.key_date, data)

    def _held_key(self, key: DayKey, master: MasterKey) -> tuple[str, bytes]:
        """Return the next key of a day for what a hold covers, made when there is none."""
        day, _, number = key.key_name.partition(_HELD)
        for following in count(int(number or 0) + 1):
            name = f"{day}{_HELD}{following}"
            plain = self._files.open_or_make(name, key.key_date, master)
            if plain is not None:
                return name, plain
        raise AssertionError


def _sealed_again(
    row: dict[str, Any], before: DayCipher, after: DayCipher, key_name: str
) -> dict[str, Any]:
    """Return a row sealed with another key."""
    texts = before.open(row["ciphertext"], identity_of(row))
    row = {**row, "key_name": key_name}
    return {**row, "ciphertext": after.seal(texts, identity_of(row))}


def _prove(files: KeyFiles, log: AuditLog) -> None:
    """Write the proof rows that are missing, those of a run that was cut off included."""
    proven = {event["key_name"] for event in log.events() if event["event_kind"] == "key_destroyed"}
    for key in files.all():
        if key.destroyed_as_of is not None and key.key_name not in proven:
            log.append(
                NewEvent(
                    event_kind="key_destroyed",
                    recorded_at=key.destroyed_as_of,
                    person=_PERSON,
                    reason=key.reason or "",
                    key_name=key.key_name,
                    key_id=key.key_id,
                    row_count=key.row_count or 0,
                    text_count=key.text_count or 0,
                )
            )
