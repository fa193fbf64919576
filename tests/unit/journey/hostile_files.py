"""Files that are no journeys and would eat who reads them; as a program it reads each in a process of its own."""

from journey.document import InvalidDocumentError
from journey.publication import read_definition
from tests.unit.bomb_limits import set_off

SMALL = "language: 1\njourney: small\ntitle: Small\nowner: tests\nenter: {on: Began}\n"

HOSTILE = {
    "a NUL": "\0",
    "half a character": "\ud800",
    "a mark of byte order": "\ufeff",
    "marks of byte order": "\ufeff" * 1_000,
    "lists in lists": "[" * 5_000,
    "maps in maps": "{" * 5_000,
    "dashes": "- " * 5_000,
    "colons": "a: " * 5_000,
    "questions": "? ? ? ?",
    "maps in maps as in JSON": '{"a":' * 200 + "1" + "}" * 200,
    "a text of many lines": "a: |\n" + " x\n" * 9_000,
    "a list of itself": "&a [*a, *a]",
    "an anchor on much": "a: &a [" + ", ".join(["x"] * 5_000) + "]",
    "a billion": "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12)),
    "a tag": "!!binary aaaa",
    "a tag that would run code": "!!python/object/apply:os.system ['true']",
    "another version": "%YAML 9.9\n---\na: b",
    "documents without end": "---\n" * 60_000,
    "an end before the end": "---\n...\n---",
    "one line of 300,000": "x" * 300_000,
    "one megabyte of text": SMALL + "description: " + "x" * 1_000_000,
    "one megabyte as in JSON": '{"language": 1, "a": [' + "1," * 500_000 + "1]}",
    "as much as is read": SMALL + "description: " + "x" * 255_000,
    "as many words as are read": SMALL + "x: [" + "a," * 80_000 + "a]",
    "two thousand keys": "\n".join(f"k{n}: 1" for n in range(2_000)),
    "one key many times": "k: 1\n" * 8_000,
    "a key of 200,000": "k" * 200_000 + ": 1",
    "a number of 200,000 digits": SMALL + "x: " + "9" * 200_000,
    "a fraction of 200,000 digits": SMALL + "x: 0." + "9" * 200_000,
    "an open quote": "a: 'x\n",
    "an open quote over much": "a: '" + "x\n" * 100_000,
    "breaks of other worlds": "\u2028: \x85",
    "spaces": " " * 250_000,
    "line ends": "\n" * 250_000 + "x",
    "comments": "# x\n" * 60_000 + "x",
    "many wrong steps": SMALL + "stages: [{stage: one, steps: [" + "{nap: 1h}, " * 5_000 + "1]}]",
}


def ignite(name: str) -> str:
    """Read one: whether it was refused, in words that are not too many."""
    try:
        read_definition(HOSTILE[name], "hostile.yaml", {})
    except InvalidDocumentError as error:
        return "refused" if error.problems and len(str(error)) < 200_000 else "too many words"
    return "read"


if __name__ == "__main__":
    read_definition(SMALL + "stages: [{stage: one, steps: [{finish: done}]}]", "small.yaml", {})
    set_off(HOSTILE, ignite, seconds=30, megabytes=200)
