"""Codes of a phone are those that RFC 6238 prints, and count in their thirty seconds only."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from stores.one_time_code import address, code_of, is_code, new_key, step_of, written

KEY = b"12345678901234567890"
PRINTED = [
    (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"), (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
]  # fmt: skip
"""RFC 6238, appendix B, for SHA-1: eight digits, of which six are the last six."""


@pytest.mark.parametrize(("second", "code"), PRINTED)
def test_a_code_is_the_one_that_the_rfc_prints(second: int, code: str) -> None:
    step = step_of(datetime.fromtimestamp(second, UTC))

    assert code_of(KEY, step) == code[-6:]
    assert is_code(KEY, step, code[-6:])


@pytest.mark.parametrize("given", ["", "94287082", "287083", " 287082", "２８７０８２", "\ud800"])
def test_nothing_else_is(given: str) -> None:
    assert not is_code(KEY, 1, given)


def test_the_code_before_and_the_one_after_are_not_taken() -> None:
    assert not is_code(KEY, 1, code_of(KEY, 0))
    assert not is_code(KEY, 1, code_of(KEY, 2))


def test_a_phone_reads_the_key_from_its_address_and_a_person_from_groups_of_four() -> None:
    split = urlsplit(address(KEY, "eva@x", "Clew"))
    told = parse_qs(split.query)

    assert (split.scheme, split.netloc, unquote(split.path)) == ("otpauth", "totp", "/Clew:eva@x")
    assert told == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["Clew"], "algorithm": ["SHA1"],
        "digits": ["6"], "period": ["30"],
    }  # fmt: skip
    assert written(KEY) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_a_key_is_160_bits_of_chance() -> None:
    assert len({new_key() for _ in range(100)}) == 100
    assert {len(new_key()) for _ in range(10)} == {20}
