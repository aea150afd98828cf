"""An older document that is put back: who has seen a newer one refuses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from include.freezeline.adapters.sequence_memory import SequenceMemory
from include.freezeline.errors import DocumentError
from tests.unit.freeze.documents import OTHER_PRIVATE, make_document, sign
from tests.unit.freeze.gates import Asked, ask_check, publish_to


def _put(folder: Path, sequence: int, state: str = "OPEN", **changes: str) -> None:
    """Publish a document of a sequence number whose feature ``calm`` has a state."""
    document = make_document(sequence=sequence, **changes)
    document["features"][0]["state"] = state
    publish_to(folder, sign(document))


def _ask(folder: Path, state: Path, *more: str) -> Asked:
    """Ask for ``calm`` with a state file."""
    return ask_check(folder, "--feature", "calm", "--state-file", str(state), *more)


def test_replayed_document_is_refused_when_a_newer_one_was_seen(tmp_path: Path) -> None:
    folder, state = tmp_path / "published", tmp_path / "cache" / "state.json"
    _put(folder, 6)
    assert _ask(folder, state).exit_code == 0
    _put(folder, 7, "FROZEN")
    assert _ask(folder, state).exit_code == 3
    _put(folder, 6)
    replayed = _ask(folder, state)
    assert replayed.exit_code == 4
    assert "its sequence 6 is older than 7, which was seen before" in replayed.stdout
    assert _ask(folder, state, "--change-class", "rollback").exit_code == 0
    assert ask_check(folder, "--feature", "calm").exit_code == 0  # nobody remembers
    _put(folder, 8)
    assert _ask(folder, state).exit_code == 0
    assert json.loads(state.read_text()) == {
        "schema_version": "1", "sequences": {str(folder): 8},
    }  # fmt: skip


def test_document_that_cannot_be_trusted_is_not_remembered(tmp_path: Path) -> None:
    folder, state = tmp_path / "published", tmp_path / "state.json"
    _put(folder, 6)
    assert _ask(folder, state).exit_code == 0
    publish_to(folder, sign(make_document(sequence=99), OTHER_PRIVATE))
    assert _ask(folder, state).exit_code == 4
    _put(folder, 99, evaluated_at="2026-10-14T02:00:00Z")
    assert _ask(folder, state).exit_code == 4
    _put(folder, 6)
    assert _ask(folder, state).exit_code == 0


def test_sources_are_remembered_apart_and_by_folder(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    for name, sequence in (("one", 9), ("two", 5)):
        _put(tmp_path / name, sequence)
        assert _ask(tmp_path / name, state).exit_code == 0
    _put(tmp_path / "one", 8)
    for spelling in ("one", "one/", "one/freeze.json"):
        assert _ask(f"{tmp_path}/{spelling}", state).exit_code == 4  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"schema_version": "2", "sequences": {}}',
     b'{"schema_version": "1", "sequences": []}', b'{"schema_version": [], "sequences": {}}',
     b'{"schema_version": "1", "sequences": {"a": "x"}}',
     b'{"schema_version": "1", "sequences": {"a": Infinity}}', b"[" * 100_000],
)  # fmt: skip
def test_state_file_that_cannot_be_read_blocks(tmp_path: Path, content: bytes) -> None:
    folder, state = tmp_path / "published", tmp_path / "state.json"
    _put(folder, 6)
    state.write_bytes(content)
    asked = _ask(folder, state)
    assert asked.exit_code == 4
    assert "delete it to begin anew" in asked.stdout
    assert _ask(folder, state, "--change-class", "rollback").exit_code == 0
    assert state.read_bytes() == content


def test_state_file_that_cannot_be_written_blocks(tmp_path: Path) -> None:
    _put(tmp_path / "published", 6)
    (tmp_path / "file").write_text("")
    asked = _ask(tmp_path / "published", tmp_path / "file" / "state.json")
    assert asked.exit_code == 4
    (tmp_path / "folder").mkdir()
    assert _ask(tmp_path / "published", tmp_path / "folder").exit_code == 4


def test_process_remembers_without_a_file() -> None:
    memory = SequenceMemory()
    memory.remember("a", 7)
    memory.remember("a", 6)
    assert (memory.highest("a"), memory.highest("b")) == (7, 0)


def test_highest_number_stays_when_many_processes_remember(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    code = (
        "import sys; from pathlib import Path\n"
        "from include.freezeline.adapters.sequence_memory import SequenceMemory\n"
        "for n in range(200): SequenceMemory(Path(sys.argv[1])).remember('a', 4 * n + int(sys.argv[2]))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), str(number)])  # noqa: S603
        for number in range(4)
    ]
    assert [process.wait() for process in running] == [0] * 4
    assert SequenceMemory(path).highest("a") == 4 * 199 + 3
    path.write_text("{")
    with pytest.raises(DocumentError, match="delete it to begin anew"):
        SequenceMemory(path).highest("a")
