"""Points at what shows something already, so that it is shown once and found under each name."""

from tests.security.test_asvs import proved


def stand(*proofs: str) -> bool:
    """Whether each test that is named, `path::test`, is there. Raises: `AssertionError` naming those that are not."""
    missing = [each for each in proofs if not proved(each)]
    assert proofs
    assert missing == []
    return True
