"""How far evaluators agree with people, and which anomalous answers are found.

``python -m tests.bench.bench_evaluators --data FOLDER`` reads answers that people labelled
(xstest_refusal, faithbench, halueval_general) and answers of real models (llmdrift_gpt35,
alpaca_*) from a folder of Parquet files. Thresholds are calibrated on half of the prompts or
sources and judged on the other half. ``--quick`` does the same with made-up answers, where the
numbers mean nothing. ``--embed`` adds what needs the embedding model (some minutes).

Anomalous answers are looked for with the numbers of the policy that is shipped: one planted in
the whole night, and one in every second class of it.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq

from include.freezeline.adapters.embeddings import open_embedder
from include.freezeline.evaluators.anomalies import Answer, InputClass, find_anomalies
from include.freezeline.evaluators.groundedness import Groundedness
from include.freezeline.evaluators.interface import Evaluator, Item, evaluate
from include.freezeline.evaluators.policy import load_evaluator_policy
from include.freezeline.evaluators.refusal import Refusal
from include.freezeline.evaluators.relevance import Relevance
from include.freezeline.settings import Settings
from include.freezeline.stats.agreement import (
    calibrate_threshold,
    corrected_rate,
    operating_point,
    roc_agreement,
)
from include.freezeline.stats.multiplicity import adjusted_p_values
from include.freezeline.stats.proportions import jeffreys_interval
from include.freezeline.stats.vocabulary import stable_bucket, tf_idf
from tests.unit.evaluators.planted import ON_TOPIC, planted
from tests.unit.stats.texts import make_window

SEED = 20260901
POLICY = load_evaluator_policy(Path(__file__).parents[2] / "include" / "config")
LEVEL = POLICY.structure.level
N_JUDGED = POLICY.sampling.max_structure
# Title, beginning of names, nights and classes; a night of a class costs about half a second.
WORLDS = (
    ("narrow tasks", "task", 12, 6), ("narrow tasks", "task", 4, 18), ("narrow tasks", "task", 2, 48),
    ("general assistants", "general", 4, 10),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """Answers that people labelled.

    Attributes:
        name: The data, and what the label says.
        evaluator: What is measured.
        items: The answers.
        labels: Whether people say that what a high score claims is there; for evaluators of
            which a high score is good news, whether the answer is good.
        groups: Prompt or source of each answer; halves are split by it.
        sensitivity_weight: What finding counts where the threshold is chosen; passing has the rest.
    """

    name: str
    evaluator: Evaluator
    items: list[Item]
    labels: list[bool]
    groups: list[str]
    sensitivity_weight: float = 0.5


def read(folder: Path, name: str) -> list[dict]:
    """Return the rows of a file."""
    rows: list[dict] = pq.read_table(folder / f"{name}.parquet").to_pylist()
    return rows


def labelled_data(folder: Path, embed: Callable | None) -> Iterator[Labelled]:
    """Yield the labelled data with the evaluators that are measured on them."""
    rows = read(folder, "xstest_refusal")
    items = [Item(str(i), r["completion"], r["prompt"]) for i, r in enumerate(rows)]
    is_refusal = [not r["final_label"].startswith("1") for r in rows]
    prompts = [r["prompt"] for r in rows]
    yield Labelled("xstest: full or partial refusal", Refusal(), items, is_refusal, prompts)
    rare = "xstest, a false alarm counting four misses"
    yield Labelled(rare, Refusal(), items, is_refusal, prompts, sensitivity_weight=0.2)
    for model in sorted({r["model"] for r in rows}):
        own = [i for i, r in enumerate(rows) if r["model"] == model]
        yield Labelled(
            f"xstest, {model} alone", Refusal(), [items[i] for i in own],
            [is_refusal[i] for i in own], [prompts[i] for i in own],
        )  # fmt: skip
    if (folder / "llmdrift_gpt35.parquet").exists():
        own_rows = [r for r in read(folder, "llmdrift_gpt35") if r["task"].startswith("sensitiveq")]
        yield Labelled(
            "llmdrift sensitiveq: not answered", Refusal(),
            [Item(str(i), r["response"], r["prompt"]) for i, r in enumerate(own_rows)],
            [r["label"] == 0 for r in own_rows],
            [f"{r['task']}{r['prompt_id']}" for r in own_rows],
        )  # fmt: skip
    rows = read(folder, "faithbench")
    items = [Item(str(i), r["summary"], None, (r["source"],)) for i, r in enumerate(rows)]
    sources = [r["source"] for r in rows]
    for name, bad in (
        ("faithbench: no unwanted or questionable span", {"Unwanted", "Questionable"}),
        ("faithbench: no span at all", {"Unwanted", "Questionable", "Benign"}),
    ):
        good = [r["worst_label"] not in bad for r in rows]
        yield Labelled(name, Groundedness(), items, good, sources)
    other = sources[len(sources) // 2 :] + sources[: len(sources) // 2]
    foreign = [Item(f"f{i}", r["summary"], None, (other[i],)) for i, r in enumerate(rows)]
    truth = [True] * len(items) + [False] * len(foreign)
    yield Labelled(
        "faithbench, own or another source (no people)", Groundedness(), items + foreign, truth,
        sources * 2,
    )  # fmt: skip
    yield from halueval_data(folder, embed)


def halueval_data(folder: Path, embed: Callable | None) -> Iterator[Labelled]:
    """Yield the general part of halueval, which has no sources to hold an answer against."""
    rows = read(folder, "halueval_general")
    queries = [r["user_query"] for r in rows]
    good = [r["hallucination"] == "no" for r in rows]
    items = [Item(str(i), r["response"], r["user_query"], (r["user_query"],))
             for i, r in enumerate(rows)]  # fmt: skip
    yield Labelled(
        "halueval: no hallucination, query as source", Groundedness(), items, good, queries
    )
    by_words = Relevance(lambda texts: tf_idf(texts, 2048))
    few = items if embed is None else items[:600]
    shifted = [Item(f"s{i}", item.answer, queries[i - 7]) for i, item in enumerate(few)]
    pairs = [True] * len(few) + [False] * len(shifted)
    for name, evaluator in (
        ("words", by_words), *((("embeddings", Relevance(embed)),) if embed else ()),
    ):  # fmt: skip
        yield Labelled(f"halueval: no hallucination, relevance by {name}", evaluator, few,
                       good[: len(few)], queries[: len(few)])  # fmt: skip
        yield Labelled(f"halueval, own or another answer (no people), by {name}", evaluator,
                       few + shifted, pairs, queries[: len(few)] * 2)  # fmt: skip


def made_up_data() -> Iterator[Labelled]:
    """Yield made-up answers with labels that are known."""
    rng = np.random.default_rng(SEED)
    prompts, answers = make_window(120, rng)
    is_refusal = [i % 3 == 0 for i in range(120)]
    texts = [f"I'm sorry, but I cannot help with that. {answer}" if refused else answer
             for answer, refused in zip(answers, is_refusal, strict=True)]  # fmt: skip
    items = [Item(str(i), text) for i, text in enumerate(texts)]
    yield Labelled("made up: refusal", Refusal(), items, is_refusal, prompts)
    grounded = [Item(str(i), answer, None, (answers[i if i % 2 else (i + 40) % 120],))
                for i, answer in enumerate(answers)]  # fmt: skip
    good = [i % 2 == 1 for i in range(120)]
    yield Labelled("made up: grounded", Groundedness(), grounded, good, prompts)


def print_agreement(data: Labelled) -> None:
    """Print one row of the table of agreement."""
    start = time.perf_counter()
    scored = evaluate(data.evaluator, data.items)
    spent_ms = 1000.0 * (time.perf_counter() - start) / len(scored)
    kept = [i for i, score in enumerate(scored) if score.value is not None]
    scores = np.array([scored[i].value for i in kept], dtype=np.float64)
    labels = np.array([data.labels[i] for i in kept])
    half = np.array([stable_bucket(data.groups[i], 2) == 0 for i in kept])
    area = roc_agreement(scores, labels)
    threshold = calibrate_threshold(
        scores[half], labels[half], seed=SEED, sensitivity_weight=data.sensitivity_weight
    )
    point = operating_point(scores[~half], labels[~half], threshold.value)
    n_said = int((scores[~half] >= threshold.value).sum())
    rate = corrected_rate(
        n_said, int((~half).sum()), operating_point(scores[half], labels[half], threshold.value)
    )
    corrected = "none" if rate.value is None else f"{rate.value:.2f} {_range(rate.interval)}"
    print(
        f"| {data.name} | {data.evaluator.name} | {int(labels.sum())}/{int((~labels).sum())} "
        f"| {area.value:.3f} {_range(area.interval, 3)} "
        f"| {threshold.value:.3f} {_range(threshold.interval, 3)} "
        f"| {point.sensitivity:.2f} {_range(point.sensitivity_interval)} "
        f"| {point.specificity:.2f} {_range(point.specificity_interval)} "
        f"| {corrected} ({labels[~half].mean():.2f}) | {spent_ms:.2f} |"
    )


def _range(interval: tuple[float, float] | None, digits: int = 2) -> str:
    """Return an interval as text."""
    return "" if interval is None else f"({interval[0]:.{digits}f}-{interval[1]:.{digits}f})"


def real_classes(folder: Path, n_needed: int) -> dict[str, list[tuple[str, str]]]:
    """Return prompt and answer by class: narrow tasks of one model, and general assistants."""
    found: dict[str, list[tuple[str, str]]] = {}
    for row in read(folder, "llmdrift_gpt35"):
        if row["task"] in ("opinionqa", "prime", "happy") and row["response"]:
            name = f"task {row['task']}, {row['model']}"
            found.setdefault(name, []).append((row["prompt"], row["response"]))
    prompts = {row["prompt_id"]: row["prompt"] for row in read(folder, "alpaca_prompts")}
    for path in sorted(folder.glob("alpaca_[a-d]_*.parquet")):
        for row in pq.read_table(path).to_pylist():
            if row["response"]:
                pair = (prompts[row["prompt_id"]], row["response"])
                found.setdefault(f"general {row['model']}", []).append(pair)
    return {name: rows for name, rows in found.items() if len(rows) >= n_needed}


def made_up_classes() -> dict[str, list[tuple[str, str]]]:
    """Return made-up classes."""
    rng = np.random.default_rng(SEED)
    return {f"made up {k}": list(zip(*make_window(500, rng), strict=True)) for k in range(3)}


@dataclass(slots=True)
class Counts:
    """What is found of planted and of ordinary answers.

    Attributes:
        hits: Whether each planted answer was found, by kind.
        n_false: Ordinary answers found.
        n_nights_with_false: Nights with any.
        n_nights: Nights.
    """

    hits: dict[str, list[bool]] = field(default_factory=dict)
    n_false: int = 0
    n_nights_with_false: int = 0
    n_nights: int = 0

    def add(self, ordinary: list[float], planted_p: dict[str, list[float]]) -> None:
        """Count one night."""
        flat = [(kind, p) for kind, values in planted_p.items() for p in values]
        p_values = [*ordinary, *(p for _, p in flat)]
        said = [q <= LEVEL and p <= 0.01
                for p, q in zip(p_values, adjusted_p_values(p_values), strict=True)]  # fmt: skip
        for (kind, _), is_found in zip(flat, said[len(ordinary) :], strict=True):
            self.hits.setdefault(kind, []).append(is_found)
        n_false = sum(said[: len(ordinary)])
        self.n_false += n_false
        self.n_nights_with_false += n_false > 0
        self.n_nights += 1

    @property
    def n_hits(self) -> int:
        """Planted answers found."""
        return sum(map(sum, self.hits.values()))

    @property
    def n_planted(self) -> int:
        """Planted answers."""
        return sum(map(len, self.hits.values()))


def night_of(
    classes: dict[str, list[tuple[str, str]]], number: int, n_classes: int, n_reference: int
) -> tuple[list[InputClass], dict[str, str]]:
    """Return a night's classes, each with one planted answer, and the kinds of those."""
    rng = np.random.default_rng([SEED, number])
    plants = planted(number)
    names = sorted(classes)
    kinds_of = [*plants, *ON_TOPIC]
    kinds: dict[str, str] = {}
    night = []
    for place in range(n_classes):
        rows = classes[names[place % len(names)]]
        name = f"{names[place % len(names)]} #{place}"
        order = rng.permutation(len(rows))[: n_reference + N_JUDGED]
        answers = [Answer(f"{name} {i}", *rows[i]) for i in order]
        judged = answers[n_reference:]
        kind, key = kinds_of[(number * 5 + place) % len(kinds_of)], f"planted {name}"
        kinds[key] = kind
        if kind in plants:
            text = plants[kind][int(rng.integers(len(plants[kind])))]
        else:
            text = ON_TOPIC[kind](judged[0].answer, rng)
        judged.append(Answer(key, judged[0].prompt, text))
        night.append(InputClass(name, tuple(answers[:n_reference]), tuple(judged)))
    return night, kinds


def print_anomalies(
    title: str, classes: dict[str, list[tuple[str, str]]], n_nights: int, n_classes: int,
    n_reference: int,
) -> None:  # fmt: skip
    """Print how many planted answers are found, and how many others."""
    quiet, lone, half = Counts(), Counts(), Counts()
    p_values: list[float] = []
    start = time.perf_counter()
    for number in range(n_nights):
        night, kinds = night_of(classes, number, n_classes, n_reference)
        found = find_anomalies(
            night, min_reference=POLICY.structure.min_reference, level=LEVEL, seed=SEED
        )
        # What p-values are does not depend on what else was planted, so one night serves for all.
        ordinary = [float(e.p_value or 0.0) for e in found if e.call_key not in kinds]
        odd = [(kinds[e.call_key], float(e.p_value or 0.0)) for e in found if e.call_key in kinds]
        quiet.add(ordinary, {})
        for kind, p in odd:
            lone.add(ordinary, {kind: [p]})
        for first in (0, 1):
            some: dict[str, list[float]] = {}
            for kind, p in odd[first::2]:
                some.setdefault(kind, []).append(p)
            half.add(ordinary, some)
        p_values += ordinary
    spent_s = (time.perf_counter() - start) / n_nights
    print_found(f"{title}: {n_classes} classes, {n_nights} nights, {n_reference} earlier and "
                f"{N_JUDGED} new answers each, {spent_s:.1f} s a night", quiet, lone, half,
                np.array(p_values))  # fmt: skip


def print_found(
    title: str, quiet: Counts, lone: Counts, half: Counts, p_values: np.ndarray
) -> None:
    """Print one world."""
    at = {level: round(float((p_values <= level).mean()), 4) for level in (0.05, 0.01, 0.001)}
    n_said = half.n_hits + half.n_false
    print(f"\n{title}")
    print(f"alone in its night {lone.n_hits}/{lone.n_planted} "
          f"{_range(jeffreys_interval(lone.n_hits, lone.n_planted))}")  # fmt: skip
    print(f"in every second class {half.n_hits}/{half.n_planted} "
          f"{_range(jeffreys_interval(half.n_hits, half.n_planted))}, precision {half.n_hits}/"
          f"{n_said} {_range(jeffreys_interval(half.n_hits, max(n_said, 1)))}")  # fmt: skip
    print(f"quiet nights with a finding {quiet.n_nights_with_false}/{quiet.n_nights}, "
          f"ordinary answers found {quiet.n_false}/{len(p_values)}, with p at most {at}")  # fmt: skip
    print(", ".join(f"{kind} {sum(own)}/{len(own)}" for kind, own in sorted(lone.hits.items())))


def changed_numbers(folder: Path) -> None:
    """Print how often a summary scores lower when its numbers are made wrong."""
    rng = np.random.default_rng(SEED)
    rows = [r for r in read(folder, "faithbench") if re.search(r"\d", r["summary"])]
    wrong = [
        re.sub(r"\d+", lambda m: str(int(m[0][:12]) + int(rng.integers(1, 10))), r["summary"])
        for r in rows
    ]
    scores = [
        [s.value for s in evaluate(Groundedness(), [
            Item(str(i), text, None, (r["source"],))
            for i, (text, r) in enumerate(zip(texts, rows, strict=True))
        ])]
        for texts in ([r["summary"] for r in rows], wrong)
    ]  # fmt: skip
    lower = sum(a > b for a, b in zip(*scores, strict=True) if a is not None and b is not None)
    print(f"\nfaithbench summaries with every number made wrong score lower: {lower}/{len(rows)}")


def print_table(data: Sequence[Labelled] | Iterator[Labelled]) -> None:
    """Print the table of agreement."""
    print("ROC area over all; threshold from one half; sensitivity, specificity and corrected rate")
    print("of yes on the other (in brackets what people said)\n")
    print("| data and what yes says | evaluator | yes/no | ROC AUC | threshold | sensitivity "
          "| specificity | corrected rate | ms |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for each in data:
        print_agreement(each)


def main() -> None:
    """Print agreement and anomalies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--embed", action="store_true")
    parser.add_argument("--reference", type=int, default=POLICY.sampling.max_reference)
    parser.add_argument("--anomalies", action="store_true", help="only these")
    options = parser.parse_args()
    if options.data is None or options.quick:
        print_table(made_up_data())
        print_anomalies("made-up classes", made_up_classes(), 2, 3, options.reference)
        return
    if not options.anomalies:
        with TemporaryDirectory() as home:
            embed = open_embedder(Settings(home=Path(home))) if options.embed else None
            print_table(labelled_data(options.data, embed))
        changed_numbers(options.data)
    classes = real_classes(options.data, options.reference + N_JUDGED)
    for title, start, n_nights, n_classes in WORLDS:
        own = {name: rows for name, rows in classes.items() if name.startswith(start)}
        print_anomalies(title, own, n_nights, n_classes, options.reference)


if __name__ == "__main__":
    main()
