"""Phone numbers as providers take them: E.164, such as +420601123456."""

import phonenumbers


def e164(text: str, region: str | None = None) -> str | None:
    """The number in E.164, or None where it is none that can be called.

    `region` (such as CZ) is where a number without a country code is from.
    """
    try:
        found = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(found) or found.extension:
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def is_region(text: str) -> bool:
    """Whether this is a country of which phone numbers are known, such as CZ."""
    return text in phonenumbers.SUPPORTED_REGIONS
