"""One fuzzing process: ``python -m tests.fuzz.driver TARGET FOLDER [libFuzzer options]``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import atheris


def main(arguments: Sequence[str]) -> None:
    """Instrument our code, write the seeds, and fuzz until a run limit or a finding ends it."""
    with atheris.instrument_imports(include=["include.freezeline"]):
        from tests.fuzz.corpus import dictionary, seeds
        from tests.fuzz.targets import TARGETS
    name, folder, *options = arguments
    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number:02d}").write_bytes(seed)
    words = Path(folder) / "words.dict"
    words.write_text(dictionary(), encoding="utf-8")
    found = [f"-artifact_prefix={folder}/", f"-dict={words}"]
    atheris.Setup([sys.argv[0], *options, *found, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
