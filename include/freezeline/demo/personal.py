"""Fictional personal data and secrets to plant in prompts, so that redaction has work to do.

Domains are example.com and its like, phone numbers come from ranges reserved for fiction, card
numbers and IBANs only satisfy their check digits. Key-shaped strings are put together at run
time: none stands in the repository.
"""

import string
from collections.abc import Callable

import numpy as np

_FIRST = ("anna", "ben", "chloe", "deniz", "emil", "farah", "greta", "hugo", "iris", "jonas")
_LAST = ("archer", "brandt", "castell", "dubois", "eklund", "ferrari", "gruber", "holt")
_DOMAINS = ("example.com", "example.org", "example.net")
_CARD_PREFIXES = ("4000", "4111", "5105", "5454", "3782")
_ALPHANUMERIC = string.ascii_letters + string.digits


def plant(text: str, seed: int, *, is_code: bool) -> str:
    """Add a sentence with personal data to a question.

    Args:
        text: The question.
        seed: Decides kind and value; the same seed plants the same.
        is_code: Whether developers ask, who paste keys rather than card numbers.
    """
    rng = np.random.default_rng(seed)
    kinds = _CODE_SENTENCES if is_code else _CUSTOMER_SENTENCES
    return f"{text} {kinds[int(rng.integers(len(kinds)))](rng)}"


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


def _email(rng: np.random.Generator) -> str:
    """Make an e-mail address that no one has."""
    name = f"{_FIRST[rng.integers(len(_FIRST))]}.{_LAST[rng.integers(len(_LAST))]}"
    return f"{name}@{_DOMAINS[rng.integers(len(_DOMAINS))]}"


def _phone(rng: np.random.Generator) -> str:
    """Make a phone number from a range kept for fiction."""
    if rng.random() < 0.5:
        return f"+1 202-555-01{rng.integers(100):02d}"
    return f"+44 20 7946 0{rng.integers(1000):03d}"


def _card(rng: np.random.Generator) -> str:
    """Make a card number that passes the Luhn check."""
    prefix = _CARD_PREFIXES[rng.integers(len(_CARD_PREFIXES))]
    length = 14 if prefix.startswith("37") else 15
    digits = prefix + _digits(rng, length - len(prefix))
    number = digits + luhn_digit(digits)
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _german_iban(rng: np.random.Generator) -> str:
    """Make an IBAN of the German form."""
    return iban("DE", "37040044" + _digits(rng, 10))


def _digits(rng: np.random.Generator, count: int) -> str:
    """Draw decimal digits."""
    return "".join(str(digit) for digit in rng.integers(10, size=count))


def _secret(rng: np.random.Generator, count: int, alphabet: str = _ALPHANUMERIC) -> str:
    """Draw the random part of a key."""
    return "".join(alphabet[index] for index in rng.integers(len(alphabet), size=count))


def _access_key(rng: np.random.Generator) -> str:
    """Make a string in the shape of a cloud access key id."""
    return "AK" + "IA" + _secret(rng, 16, string.ascii_uppercase + "234567")


def _token(rng: np.random.Generator) -> str:
    """Make a string in the shape of a code host's access token."""
    return "gh" + "p_" + _secret(rng, 36)


_Sentence = Callable[[np.random.Generator], str]

_CUSTOMER_SENTENCES: tuple[_Sentence, ...] = (
    lambda rng: f"You can reach me at {_email(rng)}.",
    lambda rng: f"Please call me back on {_phone(rng)}.",
    lambda rng: f"My e-mail is {_email(rng)} and my number is {_phone(rng)}.",
    lambda rng: f"The card on file is {_card(rng)}.",
    lambda rng: f"Our account for refunds is {_german_iban(rng)}.",
)

_CODE_SENTENCES: tuple[_Sentence, ...] = (
    lambda rng: f"The commit was made by {_email(rng)}.",
    lambda rng: f"In the config I have access_key = {_access_key(rng)} for now.",
    lambda rng: f"It runs with the token {_token(rng)} in the header.",
)
