"""Nothing of ours takes a certificate for good that nobody vouches for."""

import ast
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]
ROOMS = "activities api channels cli console contracts deploy insight journey routing stores workers workflows"


def unchecked(code: str) -> list[int]:
    """Lines by which a certificate would not be checked."""
    names = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context"}
    settings = {"verify", "check_hostname", "validate_certs"}
    found: list[int] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and node.attr in names:
            found.append(node.lineno)
        targets = node.targets if isinstance(node, ast.Assign) else []
        named = {each.attr for each in targets if isinstance(each, ast.Attribute)}
        if isinstance(node, ast.keyword):
            named = {node.arg or ""}
        value = node.value if isinstance(node, ast.Assign | ast.keyword) else None
        if named & settings and isinstance(value, ast.Constant) and value.value is False:
            found.append(value.lineno)
    return sorted(found)


def test_nothing_of_ours_switches_the_check_of_certificates_off() -> None:
    files = [each for room in ROOMS.split() for each in (CLONE / room).rglob("*.py")]

    assert len(files) > 300
    assert {str(each): lines for each in files if (lines := unchecked(each.read_text()))} == {}
    assert unchecked("import ssl\nx.verify_mode = ssl.CERT_NONE\nAsyncClient(verify=False)\n") == [
        2,
        3,
    ]
