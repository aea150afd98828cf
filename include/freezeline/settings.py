"""Settings: the only reader of environment variables.

Every ``FREEZELINE_*`` variable is a field below, in capitals. An unknown ``FREEZELINE_*``
variable is an error, so that a typing mistake never silently keeps a default.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from include.freezeline.complaints import complaint
from include.freezeline.errors import ConfigError

_PREFIX = "FREEZELINE_"


class Settings(BaseModel):
    """Where things are and which outside systems to use.

    Attributes:
        home: Folder of everything Freezeline writes: lake, warehouse, snapshots, caches.
        source_uri: Bucket to land from, ``file:///folder`` or ``s3://bucket/prefix``.
        publish_uri: Where freeze document, flags and reports go; ``<home>/published`` when unset.
        config_dir: Folder with the policy YAML; the packaged ``include/config`` when unset.
        s3_endpoint_url: S3-compatible endpoint; AWS when unset.
        s3_region: Region name for ``s3://`` stores.
        s3_addressing: How buckets are addressed; ``path`` is what most S3-compatible servers need
            and what ``auto`` picks when an endpoint is set.
        s3_profile: AWS profile; boto3's own credential chain when unset.
        s3_sse_kms_key_id: KMS key that encrypts what is published; the bucket's default when unset.
        s3_requester_pays: Whether we pay for requests to a bucket that asks its readers to.
        s3_etag_is_md5: Whether ETags of simple uploads are MD5 sums that reads are checked against.
        s3_read_timeout_s: Seconds without a byte after which a request is tried again.
        pseudonym_key: Key of the HMAC that makes pseudonyms; required to land.
        embedding_model: sentence-transformers name or path; the packaged MiniLM when unset.
        embedding_runtime: What runs it: OpenVINO where it agrees with torch (``auto``), or one of
            the two.
        embedding_precision: Precision in OpenVINO; the fastest that the CPU is good at (``auto``)
            differs from machine to machine, ``f32`` does not.
        entailment_model: Model that scores how far one text entails another, for groundedness:
            folder of a cross-encoder, or name in the local cache; words are compared when unset.
        relevance_model: Cross-encoder that scores question and answer; embeddings when unset.
        toxicity_model: Text classification model that scores toxicity; a lexicon when unset.
        judge_url: Base of an OpenAI-compatible API whose model judges answers; nobody when unset.
        judge_model: Name of that model.
        judge_api_key: Its bearer token.
        redaction_ner: Language model that finds names and addresses to redact: folder of a spaCy
            pipeline or a transformers model, or installed name; names are not redacted when unset.
        databases: SQLAlchemy URLs of the databases that hold business facts, by the name that fact
            files use; as a JSON object in the variable.
        alert_connections: URLs of the channels that alerts are sent to, by the name that
            ``alerts.yml`` uses, for the command line; as a JSON object in the variable.
        signing_key_path: Ed25519 private key (PEM); created under ``home`` when unset.
        break_glass_key: Master key that wraps the day keys of sealed originals.
        break_glass_key_path: File that holds it instead.
        break_glass_key_dir: Folder of the wrapped day keys; under ``home`` when unset.
        target: Where dbt builds the marts: the DuckDB file, a DuckLake that machines share, or Spark.
        shared_catalog: PostgreSQL database of the DuckLake's catalogue, as libpq writes it
            (``dbname=lake host=db``); what it does not name, libpq's own variables and password
            file give.
        shared_data_uri: Where the DuckLake keeps its Parquet files, ``s3://bucket/prefix``.
        shared_writer: This machine's name in the DuckLake; machines that land must differ in it.
        spark_host: Host of Spark's Thrift server.
        spark_port: Its port.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Path(".freezeline")
    source_uri: str | None = None
    publish_uri: str | None = None
    config_dir: Path | None = None
    s3_endpoint_url: str | None = None
    s3_region: str = "us-east-1"
    s3_addressing: Literal["auto", "path", "virtual"] = "auto"
    s3_profile: str | None = None
    s3_sse_kms_key_id: str | None = None
    s3_requester_pays: bool = False
    s3_etag_is_md5: bool = True
    s3_read_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    pseudonym_key: SecretStr | None = None
    embedding_model: str | None = None
    embedding_runtime: Literal["auto", "openvino", "torch"] = "auto"
    embedding_precision: Literal["auto", "f32", "bf16", "int8"] = "auto"
    entailment_model: str | None = None
    relevance_model: str | None = None
    toxicity_model: str | None = None
    judge_url: str | None = None
    judge_model: str | None = None
    judge_api_key: SecretStr | None = None
    redaction_ner: str | None = None
    signing_key_path: Path | None = None
    databases: Mapping[str, SecretStr] = {}
    alert_connections: Mapping[str, SecretStr] = {}

    @field_validator("databases", "alert_connections", mode="before")
    @classmethod
    def _parse_urls(cls, given: object) -> object:
        """Read the JSON object of the variable; what is wrong with it is told without quoting it."""
        if not isinstance(given, str):
            return given
        try:
            parsed = json.loads(given)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            message = (
                'must be a JSON object of URLs by name like {"crm": "postgresql://reader@db/crm"}'
            )
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
        return parsed

    break_glass_key: SecretStr | None = None
    break_glass_key_path: Path | None = None
    break_glass_key_dir: Path | None = None
    target: Literal["duckdb", "shared", "spark"] = "duckdb"
    shared_catalog: SecretStr | None = None
    shared_data_uri: Annotated[str, Field(pattern=r"^s3://")] | None = None
    shared_writer: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "main"
    spark_host: str = "127.0.0.1"
    spark_port: Annotated[int, Field(gt=0, lt=65536)] = 10000

    @property
    def lake_dir(self) -> Path:
        """Folder of the redacted Parquet lake."""
        return self.home / "lake"

    @property
    def warehouse_path(self) -> Path:
        """DuckDB file that the nightly writes; only one writer at a time."""
        return self.home / "warehouse" / "freezeline.duckdb"

    @property
    def snapshot_dir(self) -> Path:
        """Folder of the published read-only snapshots."""
        return self.home / "snapshots"

    @property
    def cache_dir(self) -> Path:
        """Folder of caches that may be deleted at any time."""
        return self.home / "cache"

    @property
    def published_uri(self) -> str:
        """Where published artefacts go, with the default filled in."""
        return self.publish_uri or self.local_published_uri

    @property
    def local_published_uri(self) -> str:
        """The folder where document, flags and key always go too, so that no bucket is needed."""
        return (self.home / "published").resolve().as_uri()

    def required_pseudonym_key(self) -> bytes:
        """Return the key of the pseudonyms; landing without one would store raw user ids.

        Raises:
            ConfigError: It is not set.
        """
        if self.pseudonym_key is None or not self.pseudonym_key.get_secret_value():
            message = (
                "FREEZELINE_PSEUDONYM_KEY: not set, and no user, session or customer id is stored "
                "without it (set it to a long random string and keep it: another key gives other "
                "pseudonyms)"
            )
            raise ConfigError(message)
        return self.pseudonym_key.get_secret_value().encode()

    def as_environment(self) -> dict[str, str]:
        """Return the ``FREEZELINE_*`` variables that give these settings to another process."""
        given = self.model_dump(exclude_none=True)
        return {
            f"{_PREFIX}{name}".upper(): _as_text(value)
            for name, value in given.items()
            if value != {}
        }


def _as_text(value: object) -> str:
    """Return the text of a variable that has a value."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return json.dumps({name: _as_text(each) for name, each in value.items()})
    return str(value)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read settings from ``FREEZELINE_*`` variables.

    Args:
        environ: Usually ``os.environ``, passed in by the CLI or the Airflow adapter.

    Raises:
        ConfigError: A variable is unknown or its value cannot be used.
    """
    given = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and value != ""
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """Turn pydantic's first complaint into variable, problem and remedy; values stay out."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = f"{_PREFIX}{first['loc'][0]}".upper()
    known = ", ".join(f"{_PREFIX}{field}".upper() for field in Settings.model_fields)
    if first["type"] == "extra_forbidden":
        return f"{name}: no such setting (unset it, or use one of {known})"
    return f"{name}: {complaint(first)}"
