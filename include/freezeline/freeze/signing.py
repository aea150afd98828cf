"""Signatures of freeze documents: Ed25519 over RFC 8785 canonical JSON."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from include.freezeline.errors import DocumentError

_ALGORITHM = "Ed25519"
_MAX_BYTES = 16_000_000


def private_key_from_seed(seed: bytes) -> bytes:
    """Return the PEM of the private key made of 32 random bytes."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_key_of(private_pem: bytes) -> bytes:
    """Return the PEM of a private key's public key."""
    key = _load_private(private_pem).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_id(public_pem: bytes) -> str:
    """Return the short name of a public key."""
    raw = _load_public(public_pem).public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def sign_document(document: Mapping[str, Any], private_pem: bytes) -> bytes:
    """Return the document's bytes with its signature inside."""
    unsigned = {name: value for name, value in document.items() if name != "sig"}
    signature = _load_private(private_pem).sign(rfc8785.dumps(unsigned))
    sealed = {
        "alg": _ALGORITHM,
        "kid": key_id(public_key_of(private_pem)),
        "value": base64.b64encode(signature).decode("ascii"),
    }
    text = json.dumps({**unsigned, "sig": sealed}, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode("utf-8")


def verify_document(data: bytes, public_pems: Sequence[bytes]) -> dict[str, Any]:
    """Return a document if one of the keys signed it.

    Args:
        data: The document's bytes.
        public_pems: Keys to trust; two while a key is being replaced.

    Raises:
        DocumentError: It is empty, damaged, unsigned, or signed by another key.
    """
    document = _parse(data)
    seal = document.pop("sig", None)
    if not isinstance(seal, dict) or seal.get("alg") != _ALGORITHM:
        message = "the document is not signed with Ed25519 (publish it with the nightly DAG)"
        raise DocumentError(message)
    keys = {key_id(pem): _load_public(pem) for pem in public_pems}
    key = keys.get(str(seal.get("kid")))
    if key is None:
        message = (
            f"the document is signed by key {str(seal.get('kid'))[:16]!r}, trusted is "
            f"{', '.join(keys) or 'none'} (fetch the publisher's public key)"
        )
        raise DocumentError(message)
    try:
        signature = base64.b64decode(str(seal.get("value")), validate=True)
        key.verify(signature, rfc8785.dumps(document))
    except (InvalidSignature, binascii.Error, ValueError, rfc8785.CanonicalizationError):
        message = "the signature does not match; the document was changed after signing"
        raise DocumentError(message) from None
    return document


def _parse(data: bytes) -> dict[str, Any]:
    """Parse the JSON object; repeated names are refused, for readers disagree about them."""
    if not data.strip():
        message = "the document is empty"
        raise DocumentError(message)
    if len(data) > _MAX_BYTES:
        message = f"the document has {len(data)} bytes; at most {_MAX_BYTES} are read"
        raise DocumentError(message)
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError):
        message = "the document is not JSON (truncated or damaged; publish it again)"
        raise DocumentError(message) from None
    if not isinstance(document, dict):
        message = "the document is not a JSON object"
        raise DocumentError(message)
    return document


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a name that occurs twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a name occurs twice in one object"
        raise ValueError(message)
    return found


def _load_private(pem: bytes) -> Ed25519PrivateKey:
    """Load a private key."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        message = "the signing key is not an unencrypted Ed25519 PEM (remove the file to make one)"
        raise DocumentError(message)
    return key


def _load_public(pem: bytes) -> Ed25519PublicKey:
    """Load a public key."""
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        message = "the public key is not an Ed25519 PEM (fetch freeze.pub.pem again)"
        raise DocumentError(message)
    return key
