"""What the demo uses where a person has set nothing."""

from include.freezeline.settings import Settings

BUCKET_NAME = "demo-bucket"
# Only the demo falls back to a key that everybody can read here.
_KEY = "freezeline-demo-key-not-for-real-data"


def demo_settings(given: Settings) -> Settings:
    """Fill in the demo's bucket and key where the settings name none."""
    bucket = (given.home / BUCKET_NAME).resolve().as_uri()
    defaults = {"source_uri": bucket, "pseudonym_key": _KEY}
    chosen = {name: value for name, value in defaults.items() if getattr(given, name) is None}
    home = {"home": given.home.resolve()}
    return Settings.model_validate(given.model_dump() | chosen | home)
