"""Unpack gzip and zstd, whole or not at all.

An object that ends too early is an error here: half an object would pass for a quiet hour.
"""

import zlib
from io import BytesIO

import zstandard

from include.freezeline.errors import ReadError

GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Frames with a packer's own notes; any of the sixteen may stand first.
ZSTD_SKIPPABLE_MAGICS = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))
MAX_UNPACKED_BYTES = 2**30
_CORRUPT_GZIP = "corrupt_gzip"
_TRUNCATED_GZIP = "truncated_gzip"
_CORRUPT_ZSTD = "corrupt_zstd"
_TRUNCATED_ZSTD = "truncated_zstd"
_TOO_LARGE = "too_large_unpacked"
_MAX_LAYERS = 3
_GZIP_WINDOW = 31  # zlib: expect a gzip header
_STEP_BYTES = 64 * 1024 * 1024
_SKIPPABLE_HEADER_BYTES = 8  # the magic and a little-endian length
_ZSTD_STEP_BYTES = 4096  # one step of input may grow more than 30,000-fold


def unpack(data: bytes) -> bytes:
    """Return the bytes below every layer of gzip and zstd, recognised by content, not by name.

    Raises:
        ReadError: A layer is cut off or damaged, or unpacks to more than a gibibyte.
    """
    for _ in range(_MAX_LAYERS):
        if data.startswith(GZIP_MAGIC):
            data = _gunzip(data)
        elif data.startswith((ZSTD_MAGIC, *ZSTD_SKIPPABLE_MAGICS)):
            data = _unzstd(data)
        else:
            break
    return data


def _gunzip(data: bytes) -> bytes:
    """Unpack every member of a gzip file."""
    unpacked = BytesIO()  # its value is handed out without a copy, unlike that of joined parts
    while data:
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            while not unpacker.eof:
                step = unpacker.decompress(data, _STEP_BYTES)
                data = unpacker.unconsumed_tail
                _check_size(unpacked.tell() + len(step))
                unpacked.write(step)
                if not step and not data and not unpacker.eof:
                    raise ReadError(_TRUNCATED_GZIP)
        except zlib.error:
            raise ReadError(_CORRUPT_GZIP) from None
        data = unpacker.unused_data.lstrip(b"\0")  # tape-style padding between members
    return unpacked.getvalue()


def _unzstd(data: bytes) -> bytes:
    """Unpack every frame of a zstd file."""
    unpacked = BytesIO()
    view = memoryview(data)
    position = 0
    while (position := _after_skippable(data, position)) < len(data):
        unpacker = zstandard.ZstdDecompressor().decompressobj()
        try:
            while position < len(data) and not unpacker.eof:
                step = unpacker.decompress(view[position : position + _ZSTD_STEP_BYTES])
                position = min(position + _ZSTD_STEP_BYTES, len(data))
                _check_size(unpacked.tell() + len(step))
                unpacked.write(step)
        except zstandard.ZstdError:
            raise ReadError(_CORRUPT_ZSTD) from None
        if not unpacker.eof:
            raise ReadError(_TRUNCATED_ZSTD)
        position -= len(unpacker.unused_data)
    return unpacked.getvalue()


def _after_skippable(data: bytes, position: int) -> int:
    """Return where the next frame that holds data starts."""
    while data.startswith(ZSTD_SKIPPABLE_MAGICS, position):
        start = position + _SKIPPABLE_HEADER_BYTES
        position = start + int.from_bytes(data[start - 4 : start], "little")
        if position > len(data):
            raise ReadError(_TRUNCATED_ZSTD)
    return position


def _check_size(total: int) -> None:
    """Refuse a decompression bomb."""
    if total > MAX_UNPACKED_BYTES:
        raise ReadError(_TOO_LARGE)
