"""How much does redaction find, how much does it take by mistake, and how fast is it?

``python -m tests.bench.bench_redaction [--quick] [--data FOLDER]`` runs our rules and Presidio's
analyzer over the same texts in one process and prints precision, recall and F2 by type, MB/s by
kind of text, and how a million join keys fare. FOLDER holds ``presidio_synth_pii.parquet`` and
``secret_vectors.parquet``; without it, made-up texts are used for the first table as well.

Presidio runs twice: as ``AnalyzerEngine`` makes itself (all recognisers of English), and with
only the recognisers that our rules name. The spaCy model behind it is a blank English one,
because no trained model is installed; so its names and places are missing and its speed is
better than it would be.
"""

import argparse
import base64
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from include.freezeline.redaction.engine import Redactor, load_redactor
from include.freezeline.redaction.rules import load_redaction_config
from tests.bench.redaction_texts import KINDS, Labelled, labelled_texts
from tests.unit.redaction.test_join_keys import join_keys

Found = list[tuple[str, int, int]]
Finder = Callable[[str], Found]

CONFIG_DIR = Path(str(files("include").joinpath("config")))
SECRETS = frozenset(
    {"PRIVATE_KEY", "JWT", "AWS_KEY", "API_KEY", "TOKEN", "URL_CREDENTIALS", "PASSWORD", "SECRET"}
)
# What the data and Presidio call our types.
OUR_TYPE = {
    "CREDIT_CARD": "CARD",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "PHONE_NUMBER": "PHONE",
    "DATE_TIME": "DATE_OF_BIRTH",
}
STRUCTURED = ("CARD", "EMAIL", "IBAN", "IP", "PHONE", "US_SSN", "URL_CREDENTIALS", "DATE_OF_BIRTH")


@dataclass(frozen=True, slots=True)
class Score:
    """How a finder did on one type.

    Attributes:
        n_values: Values in the data.
        n_covered: Of which every letter and digit was found, as whatever type.
        n_right: Findings of the type that touch such a value.
        n_wrong: Findings of the type that touch none.
    """

    n_values: int
    n_covered: int
    n_right: int
    n_wrong: int

    @property
    def recall(self) -> float:
        """Share of the values that were found."""
        return self.n_covered / self.n_values if self.n_values else float("nan")

    @property
    def precision(self) -> float:
        """Share of the findings that are values."""
        n_found = self.n_right + self.n_wrong
        return self.n_right / n_found if n_found else float("nan")

    @property
    def f2(self) -> float:
        """Both in one number, recall counting more."""
        weight = 4 * self.precision + self.recall
        return 5 * self.precision * self.recall / weight if weight else 0.0


def our_finder(redactor: Redactor) -> Finder:
    """Return our redactor as a finder."""
    return lambda text: [(f.type, f.start, f.end) for f in redactor.redact_text(text).findings]


def presidio_finder(folder: Path, *, only_ours: bool) -> Finder:
    """Return Presidio's analyzer, on a blank language model made in a folder.

    Args:
        folder: Where the model is kept meanwhile.
        only_ours: Whether only the recognisers run that our rules name.
    """
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    # Its e-mail recogniser would fetch the list of domains for every address, and time out.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    model = folder / "blank"
    spacy.blank("en").to_disk(model)
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": str(model)}])
    engine.load()
    registry = None
    if only_ours:
        registry = RecognizerRegistry(recognizers=_our_recognisers())
    analyzer = AnalyzerEngine(nlp_engine=engine, registry=registry)

    def find(text: str) -> Found:
        results = analyzer.analyze(text, language="en")
        return [(OUR_TYPE.get(r.entity_type, r.entity_type), r.start, r.end) for r in results]

    return find


def _our_recognisers() -> list[Any]:
    """Return Presidio's own recognisers that our rules name, and its one for phone numbers."""
    from presidio_analyzer import predefined_recognizers

    rules = load_redaction_config(CONFIG_DIR).rules
    names = {rule.recogniser for rule in rules if rule.library == "presidio"} | {"PhoneRecognizer"}
    return [
        getattr(predefined_recognizers, str(name))(supported_language="en")
        for name in sorted(names, key=str)
    ]


def scores(texts: Iterable[Labelled], find: Finder) -> dict[str, Score]:
    """Return how a finder does, by type."""
    counts: dict[str, Counter[str]] = {}
    for labelled in texts:
        found = find(labelled.text)
        for name, start, end in labelled.spans:
            count = counts.setdefault(name, Counter())
            count["values"] += 1
            count["covered"] += _is_covered(labelled.text, start, end, found)
        for name, start, end in found:
            is_right = any(n == name and s < end and start < e for n, s, e in labelled.spans)
            counts.setdefault(name, Counter())["right" if is_right else "wrong"] += 1
    return {
        name: Score(count["values"], count["covered"], count["right"], count["wrong"])
        for name, count in counts.items()
    }


def _is_covered(text: str, start: int, end: int, found: Found) -> bool:
    """Whether no letter or digit of a value was left."""
    return all(
        not text[place].isalnum() or any(low <= place < high for _, low, high in found)
        for place in range(start, end)
    )


def secret_score(vectors: Iterable[tuple[str, bool]], find: Finder) -> Score:
    """Return how a finder does on whole texts that do or do not hold a secret."""
    count: Counter[str] = Counter()
    for text, is_secret in vectors:
        is_found = any(name in SECRETS for name, _, _ in find(text))
        count["values"] += is_secret
        count["right"] += is_secret and is_found
        count["wrong"] += is_found and not is_secret
    return Score(count["values"], count["right"], count["right"], count["wrong"])


def load_labelled(folder: Path) -> list[Labelled]:
    """Read Presidio's synthetic sentences; dates count only where the text speaks of birth."""
    import pandas as pd

    texts = []
    data = pd.read_parquet(folder / "presidio_synth_pii.parquet")
    for text, spans_json in zip(map(str, data["text"]), map(str, data["spans"]), strict=True):
        spans = [(OUR_TYPE.get(n, n), s, e) for n, s, e in json.loads(spans_json)]
        kept = [
            span
            for span in spans
            if span[0] != "DATE_OF_BIRTH" or "born" in text[max(0, span[1] - 12) : span[1]]
        ]
        texts.append(Labelled(text, tuple(kept)))
    return texts


def load_vectors(folder: Path) -> list[tuple[str, bool]]:
    """Read the test vectors of secret scanners."""
    import pandas as pd

    data = pd.read_parquet(folder / "secret_vectors.parquet")
    return [
        (base64.b64decode(text).decode("utf-8", "replace"), bool(label))
        for text, label in zip(data["text_b64"], data["label"], strict=True)
    ]


def speed_mb_s(texts: Sequence[str], run: Callable[[str], object]) -> float:
    """Return processor time as megabytes per second; the best of three runs."""
    n_bytes = sum(len(text.encode()) for text in texts)
    best_s = float("inf")
    for _ in range(3):
        started = time.process_time()
        for text in texts:
            run(text)
        best_s = min(best_s, time.process_time() - started)
    return n_bytes / 1e6 / best_s


def changed_join_keys(redactor: Redactor, n_keys: int) -> int:
    """Return how many of the join keys come out changed."""
    keys = list(join_keys(np.random.default_rng(5), n_keys))
    scope = redactor.scope()
    shapes = ("{}", "run {} of today", '{{"id": "{}"}}')
    texts = [shapes[index % 3].replace("{}", key) for index, key in enumerate(keys)]
    results = scope.redact_texts(texts)
    return sum(result.text != text for result, text in zip(results, texts, strict=True))


def _print_scores(title: str, by_finder: dict[str, dict[str, Score]], names: Sequence[str]) -> None:
    """Print a table of scores, a row per type."""
    print(f"\n{title}")
    print("type".ljust(18) + "".join(f"{name:^29}" for name in by_finder))
    print(" " * 18 + " precision  recall      F2   " * len(by_finder))
    nothing = Score(0, 0, 0, 0)
    for name in names:
        row = [results.get(name, nothing) for results in by_finder.values()]
        if any(score.n_values for score in row):
            cells = (f"{s.precision:10.3f}{s.recall:8.3f}{s.f2:8.3f}   " for s in row)
            print(f"{name:18}" + "".join(cells) + f"n={max(s.n_values for s in row)}")


def _print_speed(redactor: Redactor, presidio: dict[str, Finder], *, n_texts: int) -> None:
    """Print MB/s by kind of text, ours beside Presidio's."""
    print(f"\nMB/s of one core, 2 kB texts ({n_texts} of each kind)")
    print("kind".ljust(16) + "ours".rjust(9) + "in batches".rjust(12)
          + "".join(name.rjust(24) + "   times" for name in presidio))  # fmt: skip
    for kind, make in KINDS.items():
        rng = np.random.default_rng(3)
        texts = [make(rng, 2_000) for _ in range(n_texts)]
        is_json = "json" in kind
        scope = redactor.scope()
        ours = speed_mb_s(texts, scope.redact_json if is_json else scope.redact_text)
        n_bytes = sum(map(len, texts))
        started = time.process_time()
        redactor.look(texts, is_json=is_json)
        batch = n_bytes / 1e6 / (time.process_time() - started)
        line = f"{kind:16}{ours:9.1f}{batch:12.1f}"
        for find in presidio.values():
            theirs = speed_mb_s(texts[: max(3, n_texts // 100)], find)
            line += f"{theirs:24.3f}{ours / theirs:8.0f}"
        print(line)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller samples")
    parser.add_argument("--data", type=Path, help="folder of the labelled data")
    options = parser.parse_args(arguments)
    import tempfile

    redactor = load_redactor(CONFIG_DIR)
    with tempfile.TemporaryDirectory() as folder:
        presidio = {
            "Presidio default": presidio_finder(Path(folder), only_ours=False),
            "Presidio, our recognisers": presidio_finder(Path(folder), only_ours=True),
        }
        finders = {"ours": our_finder(redactor), **presidio}
        rng = np.random.default_rng(1)
        made = list(labelled_texts(rng, 240 if options.quick else 2_400))
        names = [*STRUCTURED, *sorted(SECRETS - set(STRUCTURED)), "PERSON", "STREET_ADDRESS"]
        _print_scores("Made-up texts", {k: scores(made, f) for k, f in finders.items()}, names)
        if options.data:
            texts = load_labelled(options.data)
            results = {k: scores(texts, f) for k, f in finders.items()}
            _print_scores("Presidio's synthetic sentences", results, names)
            vectors = load_vectors(options.data)
            secrets = {k: {"secrets": secret_score(vectors, f)} for k, f in finders.items()}
            _print_scores("Test vectors of secret scanners", secrets, ["secrets"])
        else:
            print("\n--data not given: no labelled data beside the made-up texts")
        _print_speed(redactor, presidio, n_texts=200 if options.quick else 1_000)
    n_keys = 100_000 if options.quick else 1_000_000
    print(f"\njoin keys changed: {changed_join_keys(redactor, n_keys)} of {n_keys:,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
