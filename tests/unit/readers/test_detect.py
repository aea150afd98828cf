"""Detection decides by content, takes every framing, and refuses halves."""

import gzip
import json

import pytest
import zstandard

from include.freezeline.errors import ReadError
from include.freezeline.readers.detect import JsonDocument, ProtobufMessage, detect_body
from include.freezeline.readers.records import Refused
from tests.unit.readers import builders

DOCUMENT = builders.document([builders.span({"gen_ai.operation.name": "chat"})])
TEXT = json.dumps(DOCUMENT).encode()
MESSAGE = builders.traces_message(DOCUMENT)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def frame(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize(
    ("data", "framing", "n_parts"),
    [
        (b"", "empty", 0),
        (b" \r\n\t", "empty", 0),
        (gzip.compress(b"", mtime=0), "empty", 0),
        (TEXT, "single", 1),
        (b"\xef\xbb\xbf" + TEXT, "single", 1),
        (json.dumps(DOCUMENT, indent=2).encode(), "single", 1),
        (gzip.compress(TEXT, mtime=0), "single", 1),
        (gzip.compress(TEXT[:100], mtime=0) + gzip.compress(TEXT[100:], mtime=0), "single", 1),
        (zstd(TEXT), "single", 1),
        (zstd(TEXT + b"\n") + zstd(TEXT + b"\n"), "lines", 2),
        (TEXT + b"\n\n" + TEXT, "lines", 2),
        (frame(TEXT) + frame(TEXT), "framed", 2),
        (frame(zstd(TEXT)) + frame(zstd(TEXT)), "framed", 2),
        (gzip.compress(zstd(TEXT), mtime=0), "single", 1),
        (b"\x5a\x2a\x4d\x18\x03\0\0\0abc" + zstd(TEXT), "single", 1),
        (zstd(TEXT) + b"\x50\x2a\x4d\x18\0\0\0\0" + zstd(b"\n" + TEXT), "lines", 2),
        (TEXT + TEXT, "lines", 2),
        (json.dumps(DOCUMENT, indent=2).encode() * 3, "lines", 3),
        (frame(TEXT + b"\n" + TEXT) + frame(zstd(TEXT + b"\n" + TEXT)), "framed", 4),
        (bytes(4) + frame(TEXT) + bytes(4) + frame(TEXT) + bytes(8), "framed", 2),
        (frame(b"\xef\xbb\xbf" + TEXT) + frame(TEXT), "framed", 2),
        (frame(b"\x50\x2a\x4d\x18\0\0\0\0" + zstd(TEXT)), "framed", 1),
    ],
)
def test_detect_body_splits_json_when_packed_or_framed(
    data: bytes, framing: str, n_parts: int
) -> None:
    body = detect_body(data)
    assert body.framing == framing
    assert list(body.parts) == [JsonDocument(DOCUMENT)] * n_parts


@pytest.mark.parametrize(
    ("data", "framing", "n_parts"),
    [
        (MESSAGE, "single", 1),
        (gzip.compress(MESSAGE, mtime=0), "single", 1),
        (zstd(MESSAGE), "single", 1),
        (frame(MESSAGE) * 3, "framed", 3),
    ],
)
def test_detect_body_finds_protobuf_when_packed_or_framed(
    data: bytes, framing: str, n_parts: int
) -> None:
    body = detect_body(data)
    assert body.framing == framing
    assert tuple(body.parts) == (ProtobufMessage(MESSAGE),) * n_parts


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (TEXT[: len(TEXT) * 6 // 10], "invalid_json"),
        (json.dumps(DOCUMENT, indent=1).encode()[:-30], "invalid_json"),
        (b'{"a": "\xff\xfe"', "not_utf8"),
        (gzip.compress(TEXT, mtime=0)[:-20], "truncated_gzip"),
        (gzip.compress(TEXT, mtime=0)[:40] + b"x" * 80, "corrupt_gzip"),
        (zstd(TEXT)[:-10], "truncated_zstd"),
        (b"\x50\x2a\x4d\x18\xff\0\0\0" + zstd(b""), "truncated_zstd"),
        (b"words\n{more words}\n", "unknown_format"),
        (bytes(64), "unknown_format"),
        (zstd(TEXT)[:12] + b"\xff" * 300_000, "corrupt_zstd"),
        (b"plain words", "unknown_format"),
        (b"PAR1....", "corrupt_parquet"),
    ],
)
def test_detect_body_refuses_the_object_when_it_is_damaged(data: bytes, reason: str) -> None:
    with pytest.raises(ReadError) as caught:
        detect_body(data)
    assert caught.value.reason == reason


def test_detect_body_keeps_the_good_lines_when_one_line_is_broken() -> None:
    body = detect_body(TEXT + b"\n" + TEXT[:50] + b'\n{"a":"\xff}\n' + TEXT)
    assert body.framing == "lines"
    parts = list(body.parts)
    assert [type(part) for part in parts] == [JsonDocument, Refused, Refused, JsonDocument]
    assert [part.reason for part in parts if isinstance(part, Refused)] == [
        "invalid_json",
        "not_utf8",
    ]


def test_detect_body_mends_only_the_document_with_a_text_that_is_not_utf8() -> None:
    mended = JsonDocument({"a": "\ufffd", "b\ufffd": ["\ufffd"]}, is_mended=True)
    torn = b'{"a":"\xff","b\xff":["\xff"]}'
    assert list(detect_body(torn).parts) == [mended]
    assert list(detect_body(TEXT + b"\n" + torn).parts) == [JsonDocument(DOCUMENT), mended]
    (framed,) = detect_body(frame(torn)).parts
    assert framed == mended


def test_detect_body_keeps_whole_frames_when_the_last_one_is_cut() -> None:
    body = detect_body(frame(TEXT) + frame(TEXT)[:-5])
    whole, cut = body.parts
    assert whole == JsonDocument(DOCUMENT)
    assert isinstance(cut, Refused)
    assert cut.reason == "truncated_frame"


def test_detect_body_refuses_a_bomb_when_it_unpacks_too_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "include.freezeline.readers.compression.MAX_UNPACKED_BYTES", 1_000_000, raising=True
    )
    for packed in (gzip.compress(b" " * 5_000_000), zstd(b" " * 5_000_000)):
        with pytest.raises(ReadError) as caught:
            detect_body(packed)
        assert caught.value.reason == "too_large_unpacked"


def test_detect_body_finds_protobuf_when_its_first_length_looks_like_a_bracket() -> None:
    lengths = set()
    for n_letters in range(1, 120):
        message = builders.traces_message(builders.document([builders.span(name="n" * n_letters)]))
        lengths.add(message[1:2])
        assert tuple(detect_body(message).parts) == (ProtobufMessage(message),)
    assert {b"{", b"["} & lengths


def reasons_of(data: bytes) -> list[str]:
    return [
        part.reason if isinstance(part, Refused) else type(part).__name__
        for part in detect_body(data).parts
    ]


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (TEXT[:50] + b"\n" + TEXT + b"\n" + TEXT, ["invalid_json", "JsonDocument", "JsonDocument"]),
        (b'{"a":"\xff}\n' + TEXT, ["not_utf8", "JsonDocument"]),
        (b'{"a":"torn \n' + TEXT, ["invalid_json", "JsonDocument"]),
        (b'{"a":"line\nend\t"}\n' + TEXT, ["JsonDocument", "JsonDocument"]),
        (b"\n".join([b"\xef\xbb\xbf" + TEXT] * 3), ["JsonDocument"] * 3),
        ((b"\x1e" + TEXT + b"\n") * 2, ["JsonDocument"] * 2),
        (b"stray words\n" + TEXT, ["invalid_json", "JsonDocument"]),
        (TEXT[-50:] + b"\nstray words\n" + TEXT, ["invalid_json"] * 2 + ["JsonDocument"]),
        (bytes(40) + TEXT + b"\n" + TEXT, ["invalid_json", "JsonDocument"]),
        (TEXT + TEXT[:70] + b"\r\n" + TEXT, ["JsonDocument", "invalid_json", "JsonDocument"]),
        (TEXT + bytes(40), ["JsonDocument", "invalid_json"]),
    ],
)
def test_detect_body_loses_only_the_broken_line_when_it_is_not_the_last(
    data: bytes, reasons: list[str]
) -> None:
    assert reasons_of(data) == reasons


def test_detect_body_goes_on_after_a_spread_out_document_when_it_is_broken() -> None:
    whole = json.dumps(DOCUMENT, indent=2).encode()
    broken = whole.replace(b'"kind": 3', b'"kind": 3oops')
    assert broken != whole
    assert reasons_of(whole + b"\n" + broken + b"\n" + whole) == [
        "JsonDocument",
        "invalid_json",
        "JsonDocument",
    ]


def test_detect_body_keeps_protobuf_whole_when_a_text_in_it_holds_json_lines() -> None:
    found = 0
    for n_letters in range(1, 120):
        item = builders.span({"note": "\n{}\n{}\n"}, name="n" * n_letters)
        message = builders.traces_message(builders.document([item]))
        found += message.startswith((b"\n{", b"\n["))
        assert tuple(detect_body(message).parts) == (ProtobufMessage(message),)
        assert tuple(detect_body(frame(message)).parts) == (ProtobufMessage(message),)
    assert found


def test_detect_body_is_quick_when_every_line_opens_a_bracket() -> None:
    with pytest.raises(ReadError):
        detect_body(b"[1,\n" * 5_000)
