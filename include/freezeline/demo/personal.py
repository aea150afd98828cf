"""Fictional personal data and secrets to plant in prompts, so that redaction has work to do.

The values come from :mod:`include.freezeline.redaction.made_up` and are nobody's.
"""

from collections.abc import Callable

import numpy as np

from include.freezeline.redaction import made_up


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


_Sentence = Callable[[np.random.Generator], str]

_CUSTOMER_SENTENCES: tuple[_Sentence, ...] = (
    lambda rng: f"You can reach me at {made_up.email(rng)}.",
    lambda rng: f"Please call me back on {made_up.phone(rng)}.",
    lambda rng: f"My e-mail is {made_up.email(rng)} and my number is {made_up.phone(rng)}.",
    lambda rng: f"The card on file is {made_up.card(rng)}.",
    lambda rng: f"Our account for refunds is {made_up.german_iban(rng)}.",
)

_CODE_SENTENCES: tuple[_Sentence, ...] = (
    lambda rng: f"The commit was made by {made_up.email(rng)}.",
    lambda rng: f"In the config I have access_key = {made_up.access_key(rng)} for now.",
    lambda rng: f"It runs with the token {made_up.token(rng)} in the header.",
)
