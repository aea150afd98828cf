"""One exception tree; every message says where, what value, what was expected and what to do."""


class FreezelineError(Exception):
    """Base of every error that Freezeline raises on purpose."""


class ConfigError(FreezelineError):
    """A configuration file or setting is wrong; the message names file, field, value and remedy."""


class StoreError(FreezelineError):
    """The object store cannot be used."""


class StoreNotFoundError(StoreError):
    """The bucket, folder or object does not exist."""


class StoreAccessError(StoreError):
    """The object store refused the credentials."""


class ReadError(FreezelineError):
    """Bytes cannot be read as a known format; ``reason`` is what the quarantine row says."""

    def __init__(self, reason: str) -> None:
        """Keep the reason for the quarantine row."""
        super().__init__(reason)
        self.reason = reason


class EmptyNightError(FreezelineError):
    """An expected source delivered nothing for the night; an empty success does not exist."""


class LowVolumeError(EmptyNightError):
    """An expected source delivered far less than usual for the night."""


class CheckFailedError(FreezelineError):
    """A critical expectation failed; the night stops before anyone reads the tables."""


class WarehouseError(FreezelineError):
    """The warehouse cannot be opened, built or published, or refuses a query."""


class UnknownFeatureError(FreezelineError):
    """The freeze document has no such feature."""


class DocumentError(FreezelineError):
    """A freeze document is missing, unreadable or cannot be trusted."""


class OverrideError(FreezelineError):
    """A freeze may not be overridden like this, or the log of overrides is not as it should be."""


class QuestionError(FreezelineError):
    """The gate was asked over HTTP in a way that is not a question."""


class AlertError(FreezelineError):
    """Alerts cannot be planned, or a channel did not take them; later runs try again."""


class AccountingError(FreezelineError):
    """A reader lost or invented records; the books of the object do not add up."""


class RedactionError(FreezelineError):
    """Redaction no longer finds what its rules name; nothing may be landed until it does."""


class RetentionError(FreezelineError):
    """A retention plan cannot be applied or does not hold."""


class ErasureError(FreezelineError):
    """An erasure cannot be planned or applied, or something that was erased is there again."""


class BreakGlassError(FreezelineError):
    """Sealed originals may not be read, or a key or the audit log is not as it should be."""


class LabellingError(FreezelineError):
    """A sample for labelling cannot be drawn, or labels do not fit their sample."""
