"""Readers while a night is published: they see the old verdict, the new one or a block."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.object_store import ObjectStore, open_store
from include.freezeline.freeze.verdict import Question, Verdict
from include.freezeline.jobs.ask_gate import ask_gate
from include.freezeline.jobs.publish import write_document
from include.freezeline.settings import Settings
from tests.unit.freeze.documents import NOW, OTHER_PRIVATE, PRIVATE, make_document
from tests.unit.freeze.gates import access_to

N_PUBLISHED = 400
STATES = ("OPEN", "FROZEN")
CALM = Question(("calm",))


def document_of(sequence: int) -> dict[str, Any]:
    """Return a document whose feature ``calm`` is open in even sequences and frozen in odd ones."""
    document = make_document(
        sequence=sequence, evaluated_at=f"2026-10-14T00:00:{sequence % 60:02}Z"
    )
    document["features"][0]["state"] = STATES[sequence % 2]
    return document


def publish_many(folder: str) -> None:
    """Publish one after the other, as fast as it goes."""
    store = open_store(Path(folder).as_uri(), Settings())
    for sequence in range(1, N_PUBLISHED + 1):
        write_document(store, document_of(sequence), PRIVATE)


@contextmanager
def _publishing(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a publisher in another process."""
    code = f"from {__name__} import publish_many; publish_many({str(folder)!r})"
    with subprocess.Popen([sys.executable, "-c", code]) as running:  # noqa: S603
        yield running


def _agrees(verdict: Verdict) -> bool:
    """Whether an answer is the one of the document it rests on."""
    is_open = verdict.document["sequence"] % 2 == 0
    return verdict.is_allowed is is_open and verdict.exit_code == (0 if is_open else 3)


def test_reader_never_sees_a_part_or_a_mixture_when_nights_are_published(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    write_document(open_store(folder.as_uri(), Settings()), document_of(0), PRIVATE)
    access = access_to(folder)
    seen: list[int] = []
    flags_seen = set()
    with _publishing(folder) as running:
        while running.poll() is None:
            verdict = ask_gate(access, CALM, NOW)
            assert not verdict.deciding.problem
            assert _agrees(verdict)
            seen.append(verdict.document["sequence"])
            flags = json.loads((folder / "flags.flagd.json").read_bytes())
            flags_seen.add(flags["flags"]["llm-freeze.calm"]["defaultVariant"])
    assert running.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 10, "the reader must have met many documents"
    assert flags_seen == {"open", "frozen"}
    assert [path.name for path in sorted(folder.iterdir())] == [
        "flags.flagd.json", "freeze.json", "freeze.pub.pem",
    ]  # fmt: skip


class _Watched(ObjectStore):
    """A store that lets somebody look after every write."""

    def __init__(self, store: ObjectStore, look: Callable[[str], None]) -> None:
        self._store = store
        self._look = look
        for name in ("list_objects", "list_folder", "read_bytes", "exists", "delete"):
            setattr(self, name, getattr(store, name))

    def write_bytes(self, key: str, data: bytes, **more: Any) -> None:
        self._store.write_bytes(key, data, **more)
        self._look(key)

    uri = property(lambda self: self._store.uri)  # type: ignore[assignment]
    list_objects = list_folder = read_bytes = exists = delete = None  # type: ignore[assignment]


@pytest.mark.parametrize("new_key", [PRIVATE, OTHER_PRIVATE], ids=["same key", "new key"])
@pytest.mark.parametrize("before", [0, 1])
def test_reader_between_the_three_objects_is_never_wrong(
    tmp_path: Path, before: int, new_key: bytes
) -> None:
    folder = tmp_path / "published"
    plain = open_store(folder.as_uri(), Settings())
    write_document(plain, document_of(before), PRIVATE)
    said: dict[str, tuple[int, int]] = {}

    def look(key: str) -> None:
        verdict = ask_gate(access_to(folder), CALM, NOW)
        said[key] = verdict.exit_code, verdict.document.get("sequence", -1)

    write_document(_Watched(plain, look), document_of(before + 1), new_key)
    old, new = ((3 if n % 2 else 0, n) for n in (before, before + 1))
    between = old if new_key == PRIVATE else (4, -1)
    assert said == {"freeze.pub.pem": between, "flags.flagd.json": between, "freeze.json": new}


def test_publisher_that_dies_leaves_whole_objects(tmp_path: Path) -> None:
    store = open_store((tmp_path / "published").as_uri(), Settings())
    write_document(store, document_of(1), PRIVATE)

    def die(key: str) -> None:
        if key == "flags.flagd.json":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_document(_Watched(store, die), document_of(2), PRIVATE)
    verdict = ask_gate(access_to(tmp_path / "published"), CALM, NOW)
    assert (verdict.exit_code, verdict.document["sequence"]) == (3, 1)
