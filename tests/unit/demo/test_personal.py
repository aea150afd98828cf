"""Planted personal data is well-formed, fictional and of every kind."""

import re

from stdnum import iban as stdnum_iban
from stdnum import luhn

from include.freezeline.demo.personal import plant
from include.freezeline.redaction.made_up import iban, luhn_digit

_N = 400


def _planted(*, is_code: bool) -> list[str]:
    return [plant("Q?", seed, is_code=is_code) for seed in range(1, _N)]


def test_customers_plant_mail_phone_card_and_account() -> None:
    text = "\n".join(_planted(is_code=False))
    cards = re.findall(r"card on file is ([\d ]+)\.", text)
    accounts = re.findall(r"refunds is (\w+)\.", text)
    assert len(cards) > 20
    assert len(accounts) > 20
    assert all(luhn.is_valid(card.replace(" ", "")) for card in cards)
    assert all(stdnum_iban.is_valid(account) for account in accounts)
    assert set(re.findall(r"@([\w.]+\w)", text)) == {"example.com", "example.org", "example.net"}
    assert re.search(r"\+1 202-555-01\d\d", text)


def test_developers_plant_keys() -> None:
    text = "\n".join(_planted(is_code=True))
    assert re.search(r"\bAKIA[A-Z2-7]{16}\b", text)
    assert re.search(r"\bghp_[A-Za-z0-9]{36}\b", text)


def test_same_seed_plants_the_same() -> None:
    assert plant("Q?", 5, is_code=False) == plant("Q?", 5, is_code=False)
    assert len(set(_planted(is_code=False))) > _N / 4


def test_check_digits_match_known_numbers() -> None:
    assert luhn_digit("411111111111111") == "1"
    assert stdnum_iban.is_valid(iban("GB", "WEST12345698765432"))
