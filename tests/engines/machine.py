"""One machine of several that share a lake, as a process: ``python -m tests.engines.machine``.

Reads ``FREEZELINE_*`` from its environment. ``write N`` hands its lake over N times and writes
some of its files anew in between; ``read`` looks at the shared tables until its input ends;
``build TIME`` builds the marts. Each prints one JSON line.
"""

import json
import os
import select
import sys
from datetime import datetime
from pathlib import Path

from include.freezeline.adapters.lake import SCHEMA_FILE
from include.freezeline.adapters.shared_target import SharedTarget
from include.freezeline.adapters.warehouse import SqlError, open_scratch
from include.freezeline.jobs.build import build, hand_over
from include.freezeline.settings import Settings, load_settings

# Rows and the book of files are written in one transaction, so a reader sees both or neither.
_TORN = """
    select count(*) as n
    from (select distinct lake_file from shared."{schema}".spans) as rows
    full join (select lake_file from shared."{schema}".handed_over_files where table_name = 'spans')
        as files on rows.lake_file = files.lake_file
    where rows.lake_file is null or files.lake_file is null
"""


def write(settings: Settings, n_rounds: int) -> dict[str, int]:
    """Hand the lake over, again and again; every round a third of the files is new."""
    files = sorted(settings.lake_dir.rglob("*.parquet"))
    own = [path for path in files if path.name != SCHEMA_FILE]
    n_files = 0
    for number in range(n_rounds):
        for path in own[number % 3 :: 3]:
            _write_anew(path)
        n_files += hand_over(settings)
    return {"n_files": n_files, "n_left": hand_over(settings)}


def read(settings: Settings) -> dict[str, int]:
    """Read the tables of this machine until told to stop."""
    n_reads = n_torn = 0
    sql = _TORN.format(schema=f"lake_of_{settings.shared_writer}")
    with open_scratch() as connection, SharedTarget(settings).attached(connection):
        while not select.select([sys.stdin], [], [], 0)[0]:
            try:
                n_torn += connection.rows(sql)[0]["n"]
            except SqlError as error:
                # The machine has not handed anything over yet.
                if n_reads or "does not exist" not in str(error):
                    raise
            else:
                n_reads += 1
    return {"n_reads": n_reads, "n_torn": n_torn}


def _write_anew(path: Path) -> None:
    """Write a file again with the same rows, as landing an object again does."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(path.read_bytes())
    partial.replace(path)


def main(words: list[str]) -> dict[str, int]:
    """Do what the words say."""
    settings = load_settings(os.environ)
    if words[0] == "write":
        return write(settings, int(words[1]))
    if words[0] == "read":
        return read(settings)
    summary = build(settings, datetime.fromisoformat(words[1]))
    return {"n_models": summary.n_models, "n_tests_passed": summary.n_tests_passed}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])) + "\n")
