"""Encryption of sealed originals: AES-SIV (RFC 5297) with keys that a master key wraps.

AES-SIV is deterministic: the same text of the same record gives the same bytes, so that landing an
object again changes nothing, and no counter or random number has to be kept apart between worker
processes. What a ciphertext belongs to is authenticated with it, so that one that was moved to
another record, day or trace cannot be opened.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from include.freezeline.errors import BreakGlassError, ConfigError

KEY_BYTES = 64  # AES-256 for the text and for its authentication
_MIN_MASTER_CHARS = 32
_ID_DIGITS = 16
_MASTER_PURPOSE = b"freezeline break-glass master key"
_DAY_PURPOSE = b"freezeline break-glass day key"
_MAX_TEXT_BYTES = 1_000_000_000


class MasterKey:
    """The key that wraps the keys of days."""

    def __init__(self, secret: str) -> None:
        """Derive the wrapping key of a secret.

        Raises:
            ConfigError: The secret is too short to be one.
        """
        if len(secret) < _MIN_MASTER_CHARS:
            message = (
                f"break-glass master key: {len(secret)} characters, expected at least "
                f"{_MIN_MASTER_CHARS} (make one with `openssl rand -hex 32`)"
            )
            raise ConfigError(message)
        derive = HKDF(algorithm=SHA512(), length=KEY_BYTES, salt=None, info=_MASTER_PURPOSE)
        key = derive.derive(secret.encode("utf-8"))
        self._cipher = AESSIV(key)
        self.key_id = fingerprint(key)

    def wrap(self, key: bytes, key_name: str) -> bytes:
        """Encrypt the key of a day."""
        return self._cipher.encrypt(key, [_DAY_PURPOSE, key_name.encode()])

    def unwrap(self, wrapped: bytes, key_name: str) -> bytes:
        """Decrypt the key of a day.

        Raises:
            BreakGlassError: Another master key wrapped it, or it was changed.
        """
        try:
            return self._cipher.decrypt(wrapped, [_DAY_PURPOSE, key_name.encode()])
        except InvalidTag:
            message = (
                f"day key {key_name}: cannot be unwrapped (set the master key that it was made "
                "with; a key that was changed is lost)"
            )
            raise BreakGlassError(message) from None


class DayCipher:
    """Seals and opens the texts of one day."""

    def __init__(self, key: bytes) -> None:
        """Use the key of a day."""
        self._cipher = AESSIV(key)
        self._pack = zstandard.ZstdCompressor(level=3)
        self._unpack = zstandard.ZstdDecompressor()

    def seal(self, texts: Mapping[str, str], identity: Sequence[str]) -> bytes:
        """Encrypt texts by name, bound to what they belong to."""
        # ASCII escapes keep what is no UTF-8 text, such as half a surrogate pair.
        packed = self._pack.compress(json.dumps(texts, sort_keys=True).encode("ascii"))
        return self._cipher.encrypt(packed, _bytes_of(identity))

    def open(self, ciphertext: bytes, identity: Sequence[str]) -> dict[str, str]:
        """Decrypt texts.

        Raises:
            BreakGlassError: The key is another, or text or identity were changed.
        """
        try:
            packed = self._cipher.decrypt(ciphertext, _bytes_of(identity))
        except (InvalidTag, ValueError):
            message = (
                f"sealed text of {' '.join(identity)}: cannot be opened with this key "
                "(the file was changed, or it belongs to another record)"
            )
            raise BreakGlassError(message) from None
        texts: dict[str, str] = json.loads(
            self._unpack.decompress(packed, max_output_size=_MAX_TEXT_BYTES)
        )
        return texts


def fingerprint(key: bytes) -> str:
    """Return the short name of a key, from which nothing can be computed."""
    return hashlib.sha256(b"freezeline key id\x1f" + key).hexdigest()[:_ID_DIGITS]


def _bytes_of(identity: Sequence[str]) -> list[bytes]:
    """Return what is authenticated."""
    return [part.encode("utf-8", "surrogatepass") for part in identity]
