"""Day keys on disk, each wrapped by the master key in a file of its own.

A destroyed key leaves its file as a tombstone, which keeps the key from being made again. Files
appear whole or not at all, whoever else is landing at the same time.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from include.freezeline.errors import BreakGlassError, ConfigError
from include.freezeline.sealing.cipher import KEY_BYTES, MasterKey, fingerprint
from include.freezeline.settings import Settings

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class DayKey:
    """A key, or what is left of it.

    Attributes:
        key_name: The day, and for what a hold kept a number behind it.
        key_date: UTC date on which the objects it seals arrived.
        key_id: Fingerprint of the key.
        master_key_id: Fingerprint of the master key that wraps it.
        wrapped_key: The wrapped key, hex; None once it has been destroyed.
        destroyed_as_of: Night that destroyed it.
        reason: Why.
        text_count: Sealed texts that could be read with it until then.
        row_count: Their rows.
    """

    key_name: str
    key_date: date
    key_id: str
    master_key_id: str
    wrapped_key: str | None
    destroyed_as_of: datetime | None = None
    reason: str | None = None
    text_count: int | None = None
    row_count: int | None = None

    @property
    def is_destroyed(self) -> bool:
        """Whether only the tombstone is left."""
        return self.wrapped_key is None


class KeyFiles:
    """The folder of the day keys."""

    def __init__(self, root: Path) -> None:
        """Use a folder, which need not exist yet."""
        self.root = root

    def all(self) -> list[DayKey]:
        """Return every key and tombstone, by name.

        Raises:
            BreakGlassError: A file is damaged.
        """
        return [self._read(path) for path in sorted(self.root.glob(f"*{_SUFFIX}"))]

    def find(self, key_name: str) -> DayKey | None:
        """Return a key or its tombstone; None when there never was one."""
        path = self._path(key_name)
        return self._read(path) if path.exists() else None

    def open(self, key_name: str, master: MasterKey) -> bytes:
        """Return a key.

        Raises:
            BreakGlassError: It was destroyed, was never made, or another master key wrapped it.
        """
        key = self.find(key_name)
        if key is None or key.wrapped_key is None:
            what = "no such key" if key is None else f"destroyed as of {key.destroyed_as_of:%F}"
            message = f"day key {key_name}: {what} (nothing it sealed can be read)"
            raise BreakGlassError(message)
        return master.unwrap(bytes.fromhex(key.wrapped_key), key_name)

    def open_or_make(self, key_name: str, key_date: date, master: MasterKey) -> bytes | None:
        """Return a key, made when there is none; None when it was destroyed."""
        found = self.find(key_name)
        if found is None:
            self._make(key_name, key_date, master)
            found = self.find(key_name)
        if found is not None and found.is_destroyed:
            return None
        return self.open(key_name, master)

    def destroy(
        self, key: DayKey, as_of: datetime, reason: str, *, text_count: int, row_count: int
    ) -> DayKey:
        """Overwrite a key's file and put its tombstone in its place."""
        path = self._path(key.key_name)
        stone = replace(
            key,
            wrapped_key=None,
            destroyed_as_of=as_of,
            reason=reason,
            text_count=text_count,
            row_count=row_count,
        )
        with _named(path), path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())
        self._write(stone)
        return stone

    def rewrap(self, old: MasterKey, new: MasterKey) -> int:
        """Wrap every key with a new master key; those that are already so stay.

        Returns:
            How many were wrapped again.
        """
        n_done = 0
        for key in self.all():
            if key.wrapped_key is None or key.master_key_id == new.key_id:
                continue
            plain = self.open(key.key_name, old)
            wrapped = new.wrap(plain, key.key_name).hex()
            self._write(replace(key, wrapped_key=wrapped, master_key_id=new.key_id))
            n_done += 1
        return n_done

    def _make(self, key_name: str, key_date: date, master: MasterKey) -> None:
        """Make a key, unless somebody else just did."""
        plain = os.urandom(KEY_BYTES)
        wrapped = master.wrap(plain, key_name).hex()
        key = DayKey(key_name, key_date, fingerprint(plain), master.key_id, wrapped)
        path = self._path(key_name)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        with _named(path):
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write_private(partial, _to_json(key))
            try:
                os.link(partial, path)
            except FileExistsError:
                pass  # the other one's key holds
            finally:
                partial.unlink()

    def _write(self, key: DayKey) -> None:
        """Put a key's file in place of the one that is there."""
        path = self._path(key.key_name)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        with _named(path):
            _write_private(partial, _to_json(key))
            partial.replace(path)

    def _read(self, path: Path) -> DayKey:
        """Read a key's file."""
        try:
            given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            given["key_date"] = date.fromisoformat(given["key_date"])
            if given["destroyed_as_of"] is not None:
                given["destroyed_as_of"] = datetime.fromisoformat(given["destroyed_as_of"])
            return DayKey(**given)
        except (OSError, ValueError, KeyError, TypeError):
            message = (
                f"{path}: not a day key (restore the file; if that cannot be, delete it, and what "
                "it sealed is lost)"
            )
            raise BreakGlassError(message) from None

    def _path(self, key_name: str) -> Path:
        """Return a key's file."""
        return self.root / f"{key_name}{_SUFFIX}"


def key_files(settings: Settings) -> KeyFiles:
    """Return the folder of the day keys.

    Raises:
        ConfigError: It lies where data is copied from, so that copies would hold the keys.
    """
    root = settings.break_glass_key_dir or settings.home / "keys" / "break_glass"
    copied = [settings.lake_dir, settings.snapshot_dir, settings.warehouse_path.parent]
    if settings.published_uri.startswith("file://"):
        copied.append(Path(settings.published_uri.removeprefix("file://")))
    for folder in copied:
        if root.resolve().is_relative_to(folder.resolve()):
            message = (
                f"FREEZELINE_BREAK_GLASS_KEY_DIR: {root} lies in {folder}, whose copies would hold "
                "the keys (choose a folder that is not backed up)"
            )
            raise ConfigError(message)
    return KeyFiles(root)


def load_master_key(settings: Settings) -> MasterKey:
    """Return the master key of the settings.

    Raises:
        ConfigError: None is set, two are, or it cannot be used.
    """
    if (settings.break_glass_key is None) == (settings.break_glass_key_path is None):
        which = "neither is" if settings.break_glass_key is None else "both are"
        message = (
            f"FREEZELINE_BREAK_GLASS_KEY, FREEZELINE_BREAK_GLASS_KEY_PATH: {which} set, and one "
            "has to be (make a key with `openssl rand -hex 32`)"
        )
        raise ConfigError(message)
    if settings.break_glass_key is not None:
        return MasterKey(settings.break_glass_key.get_secret_value())
    return read_master_key(settings.break_glass_key_path or Path())


def read_master_key(path: Path) -> MasterKey:
    """Return the master key of a file.

    Raises:
        ConfigError: The file cannot be read, or holds no usable key.
    """
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        message = f"{path}: no master key can be read from it (correct the path or its rights)"
        raise ConfigError(message) from None
    return MasterKey(secret)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file when the disk refuses."""
    try:
        yield
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror} (mend the disk and run it again)"
        raise BreakGlassError(message) from None


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, down to the disk."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _to_json(key: DayKey) -> str:
    """Write a key as JSON text."""
    return json.dumps(asdict(key), indent=1, sort_keys=True, default=_iso) + "\n"


def _iso(value: Any) -> str:
    """Write a date or a time."""
    return str(value.isoformat())
