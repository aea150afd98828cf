"""``freezeline gate check`` as a pipeline sees it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from include.freezeline.cli.gate import command
from tests.unit.freeze.documents import NOW_TEXT, OTHER_PRIVATE, PUBLIC, make_document, sign

HEAVY = ("pandas", "numpy", "torch", "airflow", "duckdb", "scipy", "boto3", "matplotlib", "pyarrow")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Return a folder with a signed document and the public key."""
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "freeze.json").write_bytes(sign(make_document()))
    (folder / "freeze.pub.pem").write_bytes(PUBLIC)
    return folder


def _check(folder: Path, feature: str = "calm", *more: str) -> Result:
    """Run the gate on a folder."""
    arguments = ["check", "--feature", feature, "--source", str(folder), "--at", NOW_TEXT, *more]
    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(("feature", "code"), [("calm", 0), ("hot", 3), ("gone", 5)])
def test_gate_exits_by_state_when_document_is_good(
    published: Path, feature: str, code: int
) -> None:
    assert _check(published, feature).exit_code == code


@pytest.mark.parametrize("suffix", ["", "/", "/freeze.json"])
def test_gate_accepts_folder_and_file_uris_when_asked(published: Path, suffix: str) -> None:
    for source in (f"{published}{suffix}", f"{published.as_uri()}{suffix}"):
        result = CliRunner().invoke(
            command, ["check", "--feature", "calm", "--source", source, "--at", NOW_TEXT]
        )
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "freeze.json").unlink(),
        lambda folder: (folder / "freeze.json").write_bytes(b""),
        lambda folder: (folder / "freeze.json").write_bytes(sign(make_document())[:-80]),
        lambda folder: (folder / "freeze.json").write_bytes(sign(make_document(), OTHER_PRIVATE)),
        lambda folder: (folder / "freeze.json").write_text(json.dumps(make_document())),
        lambda folder: (folder / "freeze.pub.pem").unlink(),
        lambda folder: (folder / "freeze.pub.pem").write_bytes(b"no key"),
        lambda folder: (folder / "freeze.json").unlink() or (folder / "freeze.json").mkdir(),
    ],
    ids=["deleted", "empty", "truncated", "wrong_key", "unsigned", "no_key", "bad_key", "folder"],
)
def test_gate_blocks_with_four_when_document_is_damaged(published: Path, damage: Any) -> None:
    assert _check(published).exit_code == 0
    damage(published)
    result = _check(published)
    assert result.exit_code == 4, result.output
    assert "BLOCKED" in result.output
    assert _check(published, "calm", "--change-class", "rollback").exit_code == 0


def test_gate_blocks_when_pinned_key_is_not_the_signer(published: Path, tmp_path: Path) -> None:
    from include.freezeline.freeze.signing import public_key_of

    pinned = tmp_path / "pinned.pem"
    pinned.write_bytes(public_key_of(OTHER_PRIVATE))
    assert _check(published, "calm", "--public-key", str(pinned)).exit_code == 4
    both = ("--public-key", str(pinned), "--public-key", str(published / "freeze.pub.pem"))
    assert _check(published, "calm", *both).exit_code == 0


def test_gate_blocks_when_sequence_is_replayed(published: Path) -> None:
    assert _check(published, "calm", "--min-sequence", "8").exit_code == 4


@pytest.mark.parametrize("arguments", [["--at", "yesterday"], ["--change-class", "hotfix"], []])
def test_gate_never_exits_zero_when_usage_is_wrong(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, ["check", *arguments])
    assert result.exit_code == 2


def test_gate_prints_machine_formats_when_asked(published: Path) -> None:
    result = _check(published, "hot", "--format", "json")
    answer = json.loads(result.stdout)
    assert answer["decision"] == "block"
    assert answer["reason"] == "frozen"
    assert answer["slos"][0]["slo_id"] == "support-escalation"
    assert answer["exit_code"] == result.exit_code == 3
    github = _check(published, "hot", "--format", "github").stdout
    assert github.splitlines()[-1].startswith("::error title=Release freeze::BLOCKED")
    assert "112%25" in github


def test_gate_imports_nothing_heavy_when_it_answers(published: Path) -> None:
    code = (
        "import sys\n"
        "from include.freezeline.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as stop:\n    code = stop.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code)\n"
    )
    command_line = [sys.executable, "-c", code, "gate", "check", "--feature", "calm",
                    "--source", str(published), "--at", NOW_TEXT]  # fmt: skip
    done = subprocess.run(command_line, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "[] 0"
