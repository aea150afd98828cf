"""Made-up personal data and secrets, to test redaction with values that are nobody's.

Domains are example.com and its like, phone numbers come from ranges reserved for fiction, card
numbers and IBANs only satisfy their check digits. Key-shaped strings are put together at run
time: none stands in the repository.
"""

import base64
import string
from collections.abc import Callable, Mapping

import numpy as np

Maker = Callable[[np.random.Generator], str]

_FIRST = ("anna", "ben", "chloe", "deniz", "emil", "farah", "greta", "hugo", "iris", "jonas")
_LAST = ("archer", "brandt", "castell", "dubois", "eklund", "ferrari", "gruber", "holt")
_DOMAINS = ("example.com", "example.org", "example.net")
_CARD_PREFIXES = ("4000", "4111", "5105", "5454", "3782")
_ALPHANUMERIC = string.ascii_letters + string.digits


def luhn_digit(digits: str) -> str:
    """Return the check digit that makes a card number valid."""
    doubled = [
        int(digit) * (2 if index % 2 == 0 else 1) for index, digit in enumerate(digits[::-1])
    ]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def iban(country: str, account: str) -> str:
    """Return an IBAN with its two check digits."""
    letters = "".join(str(int(char, 36)) for char in f"{account}{country}00")
    return f"{country}{98 - int(letters) % 97:02d}{account}"


def email(rng: np.random.Generator) -> str:
    """Make an e-mail address that no one has."""
    name = f"{_FIRST[rng.integers(len(_FIRST))]}.{_LAST[rng.integers(len(_LAST))]}"
    return f"{name}@{_DOMAINS[rng.integers(len(_DOMAINS))]}"


def phone(rng: np.random.Generator) -> str:
    """Make a phone number from a range kept for fiction."""
    if rng.random() < 0.5:
        return f"+1 202-555-01{rng.integers(100):02d}"
    return f"+44 20 7946 0{rng.integers(1000):03d}"


def card(rng: np.random.Generator) -> str:
    """Make a card number that passes the Luhn check."""
    prefix = _CARD_PREFIXES[rng.integers(len(_CARD_PREFIXES))]
    length = 14 if prefix.startswith("37") else 15
    number = prefix + digits(rng, length - len(prefix))
    number += luhn_digit(number)
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def german_iban(rng: np.random.Generator) -> str:
    """Make an IBAN of the German form."""
    return iban("DE", "37040044" + digits(rng, 10))


def us_ssn(rng: np.random.Generator) -> str:
    """Make a number in the shape of a US social security number."""
    return f"{rng.integers(100, 665)}-{rng.integers(10, 99)}-{rng.integers(1000, 9999)}"


def ip(rng: np.random.Generator) -> str:
    """Make an address from the ranges kept for documentation."""
    if rng.random() < 0.5:
        return f"203.0.113.{rng.integers(1, 255)}"
    return f"2001:db8:{rng.integers(1, 0xFFFF):x}:{rng.integers(1, 0xFFFF):x}::{rng.integers(1, 0xFFFF):x}"


def access_key(rng: np.random.Generator) -> str:
    """Make a string in the shape of a cloud access key id."""
    return "AK" + "IA" + secret(rng, 16, string.ascii_uppercase + "234567")


def api_key(rng: np.random.Generator) -> str:
    """Make a string in the shape of a model provider's key."""
    return "s" + "k-proj-" + secret(rng, 40)


def token(rng: np.random.Generator) -> str:
    """Make a string in the shape of a code host's access token."""
    return "gh" + "p_" + secret(rng, 36)


def jwt(rng: np.random.Generator) -> str:
    """Make a string in the shape of a signed web token."""
    head = _base64url(b'{"alg":"HS256","typ":"JWT"}')
    body = _base64url(b'{"sub":"' + digits(rng, 10).encode() + b'"}')
    return f"{head}.{body}.{secret(rng, 43)}"


def url_with_credentials(rng: np.random.Generator) -> str:
    """Make a URL that carries a user and a password."""
    return f"https://{_LAST[rng.integers(len(_LAST))]}:{secret(rng, 14)}@db.example.com/orders"


def digits(rng: np.random.Generator, count: int) -> str:
    """Draw decimal digits."""
    return "".join(str(digit) for digit in rng.integers(10, size=count))


def secret(rng: np.random.Generator, count: int, alphabet: str = _ALPHANUMERIC) -> str:
    """Draw the random part of a key."""
    return "".join(alphabet[index] for index in rng.integers(len(alphabet), size=count))


def _base64url(data: bytes) -> str:
    """Return data in the alphabet of web tokens, without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


MAKERS: Mapping[str, Maker] = {
    "API_KEY": api_key,
    "AWS_KEY": access_key,
    "CARD": card,
    "EMAIL": email,
    "IBAN": german_iban,
    "IP": ip,
    "JWT": jwt,
    "PHONE": phone,
    "TOKEN": token,
    "URL_CREDENTIALS": url_with_credentials,
    "US_SSN": us_ssn,
}
"""Makers by the entity type of the redaction rules that must find what they make."""
