"""Open what seals originals while landing, where the policy asks for it."""

from datetime import date, datetime

from include.freezeline.adapters.key_files import key_files, load_master_key
from include.freezeline.config import config_dir
from include.freezeline.sealing.policy import load_break_glass_policy
from include.freezeline.sealing.sealer import Sealer
from include.freezeline.settings import Settings


def open_sealer(settings: Settings, as_of: datetime) -> Sealer | None:
    """Return the sealer; None when originals are not kept, which then costs nothing.

    Raises:
        ConfigError: The policy is wrong, or originals are to be kept without a master key.
    """
    policy = load_break_glass_policy(config_dir(settings))
    if not policy.enabled:
        return None
    files, master = key_files(settings), load_master_key(settings)

    def key_of(day: date) -> bytes | None:
        return files.open_or_make(day.isoformat(), day, master)

    return Sealer(policy, key_of, as_of)
