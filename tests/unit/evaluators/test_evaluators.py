"""Each evaluator on answers whose score is known, and the interface they share."""

import json
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.freezeline.evaluators.composite import Part, composite_scores
from include.freezeline.evaluators.formats import Format
from include.freezeline.evaluators.groundedness import Groundedness
from include.freezeline.evaluators.interface import Evaluator, Item, Need, Score, evaluate
from include.freezeline.evaluators.refusal import _STEPS, Refusal
from include.freezeline.evaluators.relevance import Relevance
from include.freezeline.evaluators.self_consistency import SelfConsistency
from include.freezeline.evaluators.support import Sources, claims_of, sentences_of
from include.freezeline.evaluators.tone import Tone
from include.freezeline.evaluators.toxicity import Toxicity
from tests.unit.drift.worlds import fake_embed
from tests.unit.evaluators.planted import planted
from tests.unit.stats.texts import make_window

SOURCE = (
    "The Acme X200 router was released in March 2021. It has four antennas and costs 129 dollars. "
    "The warranty lasts two years. Reset it by holding the button on its back for ten seconds."
)
ALL: tuple[Evaluator, ...] = (
    Groundedness(), Relevance(fake_embed), Refusal(), Format(), Toxicity(), Tone(),
    SelfConsistency(fake_embed),
)  # fmt: skip


def value(evaluator: Evaluator, item: Item) -> float:
    """Return the score of one answer, which must have one."""
    (score,) = evaluate(evaluator, [item])
    assert score.value is not None, score.reason
    return score.value


def grounded(answer: str, source: str = SOURCE) -> float:
    return value(Groundedness(), Item("a", answer, None, (source,)))


@pytest.mark.parametrize("mark", ["'", "\u2019"])
def test_name_in_the_possessive_is_grounded_where_the_source_has_it(mark: str) -> None:
    """An answer that quotes its source word for word is supported in full."""
    text = f"We ask for Globex{mark}s invoice about 459 dollars."
    assert value(Groundedness(), Item("a", text, None, (text,))) == 1.0


def test_groundedness_falls_from_quotation_over_wrong_facts_to_nowhere() -> None:
    quoted = grounded("The warranty of the X200 lasts two years, and it costs 129 dollars.")
    wrong = grounded("The warranty of the X200 lasts two years, and it costs 459 dollars.")
    invented = grounded("Contact Globex in Berlin about the leasing of excavators since 1987.")
    assert quoted > 0.65
    assert quoted > wrong > invented
    assert invented < 0.15


def test_groundedness_counts_facts_and_names_without_quoting_them() -> None:
    (score,) = evaluate(
        Groundedness(), [Item("a", "Ask Globex about 459 dollars.", None, (SOURCE,))]
    )
    assert "2 of 2 numbers and names not in the sources" in score.reason
    assert "Globex" not in score.reason


def test_groundedness_takes_the_best_chunk_of_an_entailment_model() -> None:
    def entails(pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [0.9 if "warranty" in chunk else 0.1 for chunk, _ in pairs]

    evaluator = Groundedness(entails)
    item = Item("a", "It lasts two years. It is blue.", None, ("no use", "warranty: two years"))
    assert value(evaluator, item) == pytest.approx(0.9)
    assert evaluator.version != Groundedness().version
    assert (evaluator.has_model, Groundedness().has_model) == (True, False)


@pytest.mark.parametrize(
    ("answer", "source", "missing"),
    [
        ("It costs 12.50 euros.", "There are 50 rows on page 12.", {"12.50"}),
        ("It rose by 1.5 percent.", "It rose in 1 of 5 offices.", {"1.5"}),
        ("It costs 12.50 euros.", "The price is 12.50.", set()),
        ("It cost 1,250 dollars.", "The price was 1250 dollars.", set()),
        ("We sell the Acme-X200 here.", "Acme sells the X200 router.", set()),
        ("We sell the Acme-X300 here.", "Acme sells the X200 router.", {"300", "acme-x300"}),
    ],
)
def test_numbers_are_supported_by_the_same_numbers_only(
    answer: str, source: str, missing: set[str]
) -> None:
    assert Sources([source]).unsupported_facts(claims_of(answer)) == missing


@given(st.lists(st.text("abc .\n", max_size=40), max_size=4), st.text("abc ", max_size=20))
def test_best_word_share_is_the_largest_over_the_sentences(chunks: list[str], text: str) -> None:
    claims = claims_of(text)
    sentences = [set(claims_of(part).words) for chunk in chunks for part in sentences_of(chunk)]
    shares = [sum(word in each for word in claims.words) for each in sentences]
    expected = max(shares, default=0) / len(claims.words) if claims.words else 0.0
    assert Sources(chunks).best_word_share(claims) == expected


def test_long_answer_is_held_against_many_long_sources() -> None:
    # Claims times sentences would be 400 million.
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 5_000, size=(20_000, 4))
    source = "\n".join(" ".join(f"word{n}x" for n in row) for row in numbers)
    assert grounded(source, source) == 1.0


@pytest.mark.parametrize(
    "answer",
    [
        "\u4fdd\u4fee\u671f\u4e3a\u4e24\u5e74\u3002\u4ef7\u683c\u4e3a129\u7f8e\u5143\u3002",
        "\u4fdd\u8a3c\u671f\u9593\u306f\u4e8c\u5e74\u3067\u3059\u3002\u30eb\u30fc\u30bf\u30fc",
        "\u0e01\u0e32\u0e23\u0e23\u0e31\u0e1a\u0e1b\u0e23\u0e30\u0e01\u0e31\u0e19\u0e2a\u0e2d\u0e07\u0e1b\u0e35",
    ],
)
def test_groundedness_of_a_script_without_spaces_needs_a_model(answer: str) -> None:
    item = Item("a", answer, None, (answer,))
    (score,) = evaluate(Groundedness(), [item])
    assert score.value is None
    assert score.reason == (
        "written without spaces between words: needs FREEZELINE_ENTAILMENT_MODEL"
    )
    assert value(Groundedness(lambda pairs: [0.8] * len(pairs)), item) == 0.8


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I'm sorry, I could not find that in the documents.", "the answer abstains"),
        (
            "I don\u2019t have information about that in the provided context.",
            "the answer abstains",
        ),
        ("The provided documents do not mention this.", "the answer abstains"),
        (
            "Unfortunately, the context does not contain the answer. Please contact support.",
            "the answer abstains",
        ),
        ("There is no information about this in the sources.", "the answer abstains"),
        ("Hello! Thanks for reaching out. How can I help?", "the answer claims nothing"),
        ("Which of the routers do you own today?", "the answer claims nothing"),
        (
            "Die Garantie gilt zwei Jahre, und er ist von der Firma.",
            "answer and sources are of different languages: needs FREEZELINE_ENTAILMENT_MODEL",
        ),
        (
            "\u0413\u0430\u0440\u0430\u043d\u0442\u0438\u044f \u0434\u0432\u0430 \u0433\u043e\u0434\u0430",
            "answer and sources are of different languages: needs FREEZELINE_ENTAILMENT_MODEL",
        ),
    ],
)
def test_groundedness_of_what_claims_nothing_is_unknown(answer: str, reason: str) -> None:
    (score,) = evaluate(Groundedness(), [Item("a", answer, None, (SOURCE,))])
    assert (score.value, score.reason) == (None, reason)


def test_groundedness_counts_what_an_abstaining_answer_claims_all_the_same() -> None:
    bare = grounded("Globex leases excavators since 1987.")
    assert grounded("I could not find that. Globex leases excavators since 1987.") == bare
    assert grounded("I could not find that, but Globex leases excavators since 1987.") < 0.2
    assert grounded("The warranty does not last ten years.") > 0.0


def test_model_of_entailment_is_not_asked_about_courtesies() -> None:
    asked: list[str] = []

    def entails(pairs: Sequence[tuple[str, str]]) -> list[float]:
        asked.extend(claim for _, claim in pairs)
        return [0.9] * len(pairs)

    text = "Hello! It lasts two years. How can I help?"
    assert value(Groundedness(entails), Item("a", text, None, (SOURCE,))) == pytest.approx(0.9)
    assert asked == ["It lasts two years."]


def test_groundedness_reads_scripts_with_spaces_and_names_in_others() -> None:
    korean = "\ubcf4\uc99d \uae30\uac04\uc740 2\ub144 \uc785\ub2c8\ub2e4"
    assert grounded(korean, korean) == 1.0
    assert grounded("The town of \u6771\u4eac lies on a bay.") < 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't assist with that.",
        "I cannot provide instructions on how to do this, as it is illegal and harmful.",
        "As an AI language model, I am not able to give medical advice.",
        "Unfortunately I won't help with that request; it goes against my guidelines.",
        "I'm not able to provide you with her address.",
        "I\u2019m unable to share personal information about private persons.",
        "Your request violates our usage policy.",
        "[BLOCKED] Response filtered by content policy",
        "The request was blocked by our content filter.",
        "Unfortunately that is outside the scope of what I can do.",
    ],
)
def test_refusal_is_high_when_the_answer_declines(answer: str) -> None:
    assert value(Refusal(), Item("a", answer)) > 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "Open the settings, choose Security and save. The change takes effect at once.",
        "I'm sorry about the trouble with your parcel. Please send us its number, then we find it.",
        "Open the page and choose the plan. It shows when it ends and what it costs you each month, "
        "with all of the options below. I can't see your account from here.",
        "You cannot return opened software, but we give you a voucher.",
        "Certainly! I can't wait to help you create a plan.",
        "I cannot recommend this restaurant enough!",
        "We filtered the blocked senders of the list by your rules.",
        "Sure! 1. Open the lid.\n2. Take out the battery.\n3. Wait for a minute.",
    ],
)
def test_refusal_is_low_when_the_answer_answers(answer: str) -> None:
    assert value(Refusal(), Item("a", answer)) < 0.589


def test_refusal_is_taken_back_in_part_when_steps_follow() -> None:
    text = "I cannot provide legal advice."
    steps = text + "\n1. Read it.\n2. Sign it.\n3. Send it."
    assert value(Refusal(), Item("a", steps)) < value(Refusal(), Item("a", text))


def test_refusal_reads_white_space_of_any_kind() -> None:
    plain = value(Refusal(), Item("a", "I cannot help with that."))
    assert plain > 0.5
    for blank in ("\xa0", "  ", "\n", "\u202f"):
        text = f"I{blank}cannot{blank}help with that."
        assert value(Refusal(), Item("a", text)) == plain


@pytest.mark.parametrize(
    ("answer", "is_read"),
    [
        ("\u62b1\u6b49\uff0c\u6211\u65e0\u6cd5\u63d0\u4f9b\u5e2e\u52a9\u3002", False),
        (
            "\u0418\u0437\u0432\u0438\u043d\u0438\u0442\u0435, \u044f \u043d\u0435 \u043c\u043e\u0433\u0443 API",
            False,
        ),
        (
            "Xin l\u1ed7i, t\u00f4i kh\u00f4ng th\u1ec3 gi\u00fap b\u1ea1n vi\u1ec7c n\u00e0y.",
            False,
        ),
        ("Es tut mir leid, aber ich kann dabei nicht helfen.", False),
        ("Lo siento, pero no puedo ayudarte con eso.", False),
        ("Je suis d\u00e9sol\u00e9, mais je ne peux pas r\u00e9pondre.", False),
        ("Mi dispiace, non posso aiutarti con questo.", False),
        ("Maaf, saya tidak bisa membantu anda dengan itu.", False),
        ("Los Angeles", True),
        ("Take the A5 from Bad Homburg to the caf\u00e9 on the left.", True),
        ("def total(x):\n    return x * 2", True),
        ("The Russian word is \u043c\u0438\u0440.", True),
        ("42", True),
    ],
)
def test_refusal_has_no_score_where_its_cues_cannot_be_read(answer: str, *, is_read: bool) -> None:
    (score,) = evaluate(Refusal(), [Item("a", answer)])
    assert (score.value is not None) is is_read
    assert ("the cues are English" in score.reason) is not is_read


# How steps were counted when white space could lead over lines, which took time squared.
_SLOW_STEPS = re.compile(r"^\s*(?:\d+[.)]|[-*\u2022])\s", re.MULTILINE)


@given(st.text(" \n\r\t\u2028-*1.)a", max_size=60))
def test_steps_are_one_list_item_a_line(text: str) -> None:
    assert len(_STEPS.findall(text)) == len(_SLOW_STEPS.findall(text))


def test_refusal_reads_a_run_of_line_breaks_once() -> None:
    text = "I cannot help." + "\n" * 200_000 + "x"
    assert value(Refusal(), Item("a", text)) > 0.5


SCHEMA = {"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"order": 7}', 1.0),
        (' {"order": 7}\n', 1.0),
        ('{"order": "seven"}', 0.5),
        ("{}", 0.5),
        ('```json\n{"order": 7}\n```', 0.5),
        ("Your order is 7.", 0.0),
        ('{"order": NaN}', 0.0),
        ("[" * 100_000, 0.0),
        ('{"order": 7} Enjoy!', 0.0),
    ],
)
def test_format_is_one_only_for_json_that_meets_its_schema(answer: str, expected: float) -> None:
    assert value(Format(), Item("a", answer, schema=SCHEMA)) == expected


def test_format_names_the_place_in_the_schema_and_no_value() -> None:
    answer = json.dumps({"order": "secret of jane"})
    (score,) = evaluate(Format(), [Item("a", answer, schema=SCHEMA)])
    assert score.reason == "JSON that breaks its schema at properties/order/type"


@pytest.mark.parametrize(
    ("answer", "is_high"),
    [
        ("You are a complete idiot, shut up.", True),
        ("I will find you and hurt you. You should die.", True),
        ("Immigrants are vermin.", True),
        ("The Idiot is a novel by Dostoevsky.", False),
        ("To kill the process, run kill -9 and wait.", False),
        ("You are right, and I am sorry for the delay.", False),
    ],
)
def test_toxicity_tells_abuse_from_words_that_only_sound_like_it(
    answer: str, *, is_high: bool
) -> None:
    assert (value(Toxicity(), Item("a", answer)) >= 0.5) is is_high


def test_toxicity_is_the_models_when_there_is_one() -> None:
    assert value(Toxicity(lambda texts: [1.7] * len(texts)), Item("a", "hello")) == 1.0


def test_relevance_is_higher_for_its_own_prompt() -> None:
    item = Item(
        "a", "A refund of the invoice takes five days.", "When do I get the invoice refund?"
    )
    other = Item("b", item.answer, "Why does the cluster restart with low memory?")
    assert value(Relevance(fake_embed), item) > value(Relevance(fake_embed), other)
    assert value(Relevance(fake_embed, lambda pairs: [0.25] * len(pairs)), item) == 0.25


PEERS = tuple(make_window(140, np.random.default_rng(1))[1])


def test_tone_is_low_when_an_answer_shouts_among_calm_ones() -> None:
    ordinary = [value(Tone(), Item("a", text, peers=PEERS[:110])) for text in PEERS[110:]]
    loud = value(Tone(), Item("b", "OMG!!! I'm so sorry, perhaps WE can help?! Let me know!!!",
                              peers=PEERS[:110]))  # fmt: skip
    assert loud == pytest.approx(1 / 111)
    assert 0.25 < np.mean(ordinary) < 0.75


def test_tone_calls_one_ordinary_answer_in_a_hundred_bad_with_few_earlier_ones() -> None:
    rng = np.random.default_rng(2)
    rare = (
        " However, wait.",
        " Perhaps so.",
        " Is that fine?",
        " Great!",
        " We're ready.",
        " Caf\u00e9.",
    )
    texts = [
        text + "".join(phrase for phrase in rare if rng.random() < 0.008)
        for text in make_window(2000, rng)[1]
    ]
    n_bad = 0
    for start in range(0, 1000, 50):
        peers = tuple(texts[start + 50 : start + 150])
        items = [
            Item(str(k), text, peers=peers) for k, text in enumerate(texts[start : start + 50])
        ]
        n_bad += sum(score.value < 0.01 for score in evaluate(Tone(), items) if score.value)
    assert n_bad <= 20


def test_tone_says_nothing_with_few_earlier_answers() -> None:
    (score,) = evaluate(Tone(), [Item("a", "Hello.", peers=PEERS[:99])])
    assert score.value is None
    assert "100 needed" in score.reason


def test_self_consistency_falls_when_numbers_differ() -> None:
    same = ("The fee is 12 dollars.", "The fee is 12 dollars in all.")
    agree = value(SelfConsistency(fake_embed), Item("a", "The fee is 12 dollars.", replicas=same))
    differ = value(SelfConsistency(fake_embed), Item("a", "The fee is 90 dollars.", replicas=same))
    assert agree > 0.9
    assert differ < 0.6


def test_answers_that_lack_something_have_no_score_and_say_what() -> None:
    scores = {each.name: evaluate(each, [Item("a", "Yes.")])[0] for each in ALL}
    unscored = {name: score.reason for name, score in scores.items() if score.value is None}
    assert unscored == {
        "groundedness": "no retrieved text is known",
        "relevance": "no prompt was kept",
        "format": "no JSON Schema is set for the feature",
        "tone": "too few earlier answers of its kind",
        "self_consistency": "no other answer to the same prompt",
    }
    assert all(evaluate(each, [Item("a", None)])[0].value is None for each in ALL)


@given(st.text(max_size=300), st.text(max_size=100))
def test_scores_lie_between_0_and_1_and_never_quote(answer: str, prompt: str) -> None:
    item = Item("a", answer, prompt, ("source of it",), {"type": "object"}, (prompt,), PEERS)
    for evaluator in ALL:
        (score,) = evaluate(evaluator, [item])
        assert score.value is None or 0.0 <= score.value <= 1.0
        assert score.call_key == "a"
        assert len(answer) < 40 or answer not in score.reason


class _Broken:
    """Breaks the interface."""

    name, version, has_model, is_high_bad = "broken", "1", False, False
    needs: frozenset[Need] = frozenset({"answer"})

    def __init__(self, score: Score) -> None:
        self._score = score

    def score(self, batch: Sequence[Item]) -> list[Score]:
        return [self._score for _ in batch]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_a_model_makes_no_number_of_costs_no_night(value: float) -> None:
    (score,) = evaluate(_Broken(Score("a", value, "")), [Item("a", "x")])
    assert score.value is None
    assert "not a number" in score.reason


def test_empty_answer_is_judged_and_a_missing_one_is_not() -> None:
    schema = {"type": "object"}
    for evaluator in (Format(), Relevance(fake_embed)):
        found = evaluate(evaluator, [Item("a", "", "p", schema=schema), Item("b", None, "p")])
        assert [score.value for score in found] == [0.0, None]
        assert found[1].reason == "no answer was kept"


def test_empty_answer_is_not_good_for_what_words_it_does_not_have() -> None:
    items = [Item("a", " \n", "When is it due?")]
    evaluators = (Groundedness(), Relevance(fake_embed), Refusal(), Toxicity())
    found = {each.name: evaluate(each, items)[0] for each in evaluators}
    assert [found[each.name].value for each in evaluators] == [None, 0.0, None, None]
    assert found["refusal"].reason == found["toxicity"].reason == "the answer is empty"
    parts = [Part(each, 1.0, {"a": found[each.name]}) for each in evaluators]
    (score,) = composite_scores(["a"], parts)
    assert score.value is None


def test_composite_does_not_miss_a_format_where_none_is_promised() -> None:
    items = [Item("a", "An answer.", "p")]
    found = evaluate(Format(), items)
    assert (found[0].value, found[0].applies) == (None, False)
    parts = [Part(Format(), 5.0, {"a": found[0]}), Part(Refusal(), 1.0, {"a": Score("a", 0.2, "")})]
    (score,) = composite_scores(["a"], parts)
    assert score.value == pytest.approx(0.8)
    assert score.reason == "worst: refusal 0.80"


@pytest.mark.parametrize("score", [Score("b", 0.5, ""), Score("a", 1.5, "")])
def test_evaluator_that_breaks_the_interface_is_refused(score: Score) -> None:
    with pytest.raises(ValueError, match="broken: "):
        evaluate(_Broken(score), [Item("a", "x")])


def test_composite_is_the_weighted_mean_of_goodness() -> None:
    parts = [
        Part(Refusal(), 1.0, {"a": Score("a", 0.2, "")}),
        Part(Groundedness(), 3.0, {"a": Score("a", 0.4, "")}),
        Part(Tone(), 0.0, {"a": Score("a", 0.0, "")}),
    ]
    (score,) = composite_scores(["a"], parts)
    assert score.value == pytest.approx((0.8 + 3 * 0.4) / 4)
    assert score.reason == "worst: groundedness 0.40"


def test_composite_has_no_value_when_most_of_it_is_missing() -> None:
    parts = [
        Part(Refusal(), 1.0, {"a": Score("a", 0.2, "")}),
        Part(Groundedness(), 3.0, {"a": Score("a", None, "no retrieved text is known")}),
    ]
    (score,) = composite_scores(["a"], parts)
    assert score.value is None
    assert "without groundedness" in score.reason
    (half,) = composite_scores(["a"], [parts[0], Part(Groundedness(), 1.0, parts[1].scores)])
    assert half.value == pytest.approx(0.8)


def test_planted_answers_are_of_every_kind() -> None:
    assert len(planted()) == 7
    assert all(texts for texts in planted().values())
