"""The files of an exported sample: rows as JSON lines and Parquet, and what they say of themselves."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.freezeline.errors import LabellingError
from include.freezeline.hashing import bytes_sha256
from include.freezeline.labelling.sampling import Sample

LINES, TABLE, MANIFEST = "sample.jsonl", "sample.parquet", "manifest.json"
_SCHEMA = pa.schema(
    [
        pa.field("call_key", pa.string(), nullable=False),
        pa.field("trace_id", pa.string(), nullable=False),
        pa.field("span_id", pa.string(), nullable=False),
        pa.field("called_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("feature", pa.string(), nullable=False),
        pa.field("environment", pa.string(), nullable=False),
        pa.field("request_model", pa.string()),
        pa.field("prompt_version", pa.string()),
        pa.field("stratum", pa.string(), nullable=False),
        pa.field("inclusion_probability", pa.float64(), nullable=False),
        pa.field("sample_weight", pa.float64(), nullable=False),
        pa.field("label_weight", pa.float64(), nullable=False),
        pa.field("input_text_redacted", pa.string()),
        pa.field("output_text_redacted", pa.string()),
    ]
)
COLUMNS: Sequence[str] = _SCHEMA.names


def sample_files(
    rows: Sequence[Mapping[str, Any]], sample: Sample, about: Mapping[str, Any]
) -> dict[str, bytes]:
    """Return the files of a sample by name, the manifest last; same inputs, same bytes.

    Args:
        rows: The drawn calls with their texts, in the order of the sample.
        sample: The sample.
        about: What the manifest says of its inputs.
    """
    lines = "".join(json.dumps(_plain(row), ensure_ascii=False) + "\n" for row in rows)
    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist(list(rows), schema=_SCHEMA), buffer, compression="zstd",
        use_dictionary=False,
    )  # fmt: skip
    data = {LINES: lines.encode("utf-8", "surrogatepass"), TABLE: buffer.getvalue()}
    manifest = {
        **about,
        "n_calls": sum(stratum.n_calls for stratum in sample.strata),
        "n_eligible": sum(stratum.n_eligible for stratum in sample.strata),
        "n_sampled": len(rows),
        "n_erased": 0,
        "strata": [_stratum(stratum) for stratum in sample.strata],
        "files": {name: about_file(content, len(rows)) for name, content in data.items()},
    }
    return {**data, MANIFEST: write_manifest(manifest)}


def about_file(content: bytes, n_rows: int) -> dict[str, Any]:
    """Return what a manifest says of a file."""
    return {"sha256": bytes_sha256(content), "n_rows": n_rows}


def write_manifest(manifest: Mapping[str, Any]) -> bytes:
    """Write a manifest."""
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode("utf-8", "surrogatepass")


def parse_sample(data: Mapping[str, bytes]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Read manifest and rows, and check that they belong together.

    Args:
        data: The manifest and the JSON lines, by name.

    Raises:
        LabellingError: They are damaged, or do not belong together.
    """
    try:
        manifest: dict[str, Any] = json.loads(data[MANIFEST])
        rows = [json.loads(line) for line in data[LINES].splitlines()]
        expected = manifest["files"][LINES]["sha256"]
    except (ValueError, KeyError, TypeError):
        message = f"{MANIFEST}, {LINES}: not a sample (export it again with the same arguments)"
        raise LabellingError(message) from None
    if bytes_sha256(data[LINES]) != expected:
        message = f"{LINES}: differs from its manifest (export it again with the same arguments)"
        raise LabellingError(message)
    return manifest, rows


def _stratum(stratum: Any) -> dict[str, Any]:
    """Return what the manifest says of a stratum."""
    return {
        "stratum": stratum.stratum,
        "values": json.loads(stratum.stratum),
        "n_calls": stratum.n_calls,
        "n_eligible": stratum.n_eligible,
        "n_sampled": stratum.n_sampled,
        "represented_calls": stratum.represented_calls,
        "inclusion_probability": stratum.inclusion_probability,
        "excluded": dict(stratum.excluded),
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it, columns in order."""
    values = {name: row[name] for name in COLUMNS}
    return values | {"called_at": row["called_at"].isoformat()}
