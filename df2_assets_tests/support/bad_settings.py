"""Values that settings refuse: one list for settings, commands and the launchpad."""

from typing import NamedTuple


class BadSetting(NamedTuple):
    """A bad value of an environment variable, and what the message has to say about it.

    `field` is the field of the launchpad for the same setting, such as `limits.max_refused`.
    `typed` is a bad value of the type of that field.
    """

    variable: str
    text: str
    message: str
    field: str = ""
    typed: object = None


_WORKERS = "give a whole number from 1 to 1024."
_SHARE = "give a number from 0 to 1, such as 0.01."
_DROPOUT = "give a number from 0 to 1, such as 0.5, or none."
_ZONE = "give the name of a time zone, such as Europe/Berlin."
_DAYS = "give a number above 0, up to 3650, such as 7."

BAD_SETTINGS = [
    BadSetting("DF2_WORKERS", "zero", _WORKERS, "engine.workers", -1),
    BadSetting("DF2_WORKERS", "0", _WORKERS),
    BadSetting("DF2_WORKERS", "1025", _WORKERS, "engine.workers", 1025),
    BadSetting("DF2_WORKERS", "2.5", _WORKERS),
    *(BadSetting("DF2_WORKERS", text, _WORKERS) for text in ("\xb2", "1_0", "\u0663", "\uff14")),
    BadSetting("DF2_MAX_REFUSED", "x", _SHARE, "limits.max_refused", -0.5),
    *(BadSetting("DF2_MAX_REFUSED", text, _SHARE) for text in ("\xb2", "0.0_1", "\u0660")),
    BadSetting("DF2_MAX_REFUSED", "1%", _SHARE, "limits.max_refused", 1.01),
    BadSetting("DF2_MAX_REFUSED", "nan", _SHARE, "limits.max_refused", float("nan")),
    BadSetting("DF2_MAX_AGE_DAYS", "0", _DAYS, "limits.max_age_days", 0.0),
    BadSetting("DF2_MAX_AGE_DAYS", "inf", _DAYS, "limits.max_age_days", 3650.5),
    BadSetting("DF2_SKU_TOKEN", "off", _DROPOUT, "prompts.sku_token", "off"),
    *(
        BadSetting("DF2_SKU_TOKEN", text, _DROPOUT)
        for text in ("1.01", "-0.1", "nan", "1e-3", "\xb2")
    ),
    BadSetting("DF2_ENGINE", "x", "choose from local, ray, serial."),
    BadSetting("DF2_SCHEDULES", "yes", "choose from on, off."),
    *(BadSetting("DF2_ONLY_PAIRS", text, "choose from on, off.") for text in ("no", "False", "0")),
    BadSetting("DF2_REPORTS_URL", "3001", "give an address, such as http://127.0.0.1:3001."),
    BadSetting("DF2_REPORTS_URL", "file:///tmp", "give an address, such as http://127.0.0.1:3001."),
    BadSetting("DF2_CRON", "x", "give five cron fields, such as '0 2 * * *'."),
    *(BadSetting("DF2_TIMEZONE", text, _ZONE) for text in ("Berlin", "Europe", "../UTC", "CET+1")),
]
