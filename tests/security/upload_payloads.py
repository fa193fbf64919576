"""Files that somebody uploads and that are none; as a program it reads each in a process of its own."""

import json

from activities.message_text import MessageCannotRenderError
from channels.message_bundle import read_message
from channels.message_file import MessageFileError
from journey.document import InvalidDocumentError
from journey.policy_file import read_policy
from tests.unit.bomb_limits import set_off
from tests.unit.journey.hostile_files import HOSTILE

DEEP = "[" * 100_000
BILLION = "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 12))


def matter(front: str, text: str = "Late.") -> str:
    return f"---\n{front}\n---\n{text}\n"


def files(**told: object) -> str:
    return json.dumps({"files": told})


MESSAGES = {
    "nothing": "",
    "a NUL": "\0",
    "half a character": matter("subject: \ud800"),
    "a NUL in the subject": matter("subject: 'a\0b'"),
    "no end of its matter": "---\nsubject: Late\n",
    "a billion": matter(BILLION),
    "an alias": matter("subject: &a x\nlink: *a"),
    "a tag that would run code": matter("subject: !!python/object/apply:os.system ['true']"),
    "a list in a list": matter(f"subject: {DEEP}"),
    "maps in maps": matter("subject: " + "{a: " * 5_000),
    "a subject twice": matter("subject: a\nsubject: b"),
    "a number that is none": matter("subject: .nan"),
    "a number without end": matter("subject: .inf"),
    "a number of many digits": matter("subject: " + "9" * 200_000),
    "fifty megabytes": matter("subject: Late", "x" * 50_000_000),
    "fifty megabytes of matter": matter("subject: " + "x" * 50_000_000),
    "fifty megabytes of lines": "---\n" * 12_000_000,
    "a megabyte of tags": matter("subject: Late", "{{ a }}" * 150_000),
    "markup without end": matter("subject: Late\nhtml: |\n  " + "<div>" * 400_000),
    "MJML without end": matter("subject: Late\nmjml: |\n  " + "<mj-section>" * 30_000),
    "a file that is read": matter("subject: Late\nhtml: /etc/passwd", "{% include '/etc/passwd' %}"),
    "a file beside it": matter("subject: Late", "{% include '../../../../etc/passwd' %}"),
    "data of a file": matter("subject: Late\ndata: {gate: {url: 'file:///etc/passwd', take: body}}"),
    "a link that is a script": matter("subject: Late\nlink: javascript:alert(1)"),
    "as JSON: no files": '{"files": 5}',
    "as JSON: a list": '{"files": ["late.md"]}',
    "as JSON: nothing": '{"files": null}',
    "as JSON: numbers": files(**{"late.md": 5}),
    "as JSON: a list of itself": '{"files": ' + DEEP,
    "as JSON: maps in maps": '{"files": ' * 100_000,
    "as JSON: another folder": files(**{"../../late.md": matter("subject: Late")}),
    "as JSON: the root": files(**{"/etc/passwd": "x"}),
    "as JSON: a NUL": files(**{"late.md\0.mjml": "x"}),
    "as JSON: without its text": files(**{"late.mjml": "<mjml></mjml>"}),
    "as JSON: very many": files(**{f"late.{n}.md": "x" for n in range(5_000)}, **{"late.md": matter("subject: a")}),
    "as JSON: broken": '{"files": {"late.md": "',
    "as JSON: of 50 MB": '{"files": {"late.md": "' + "x" * 50_000_000 + '"}}',
}  # fmt: skip

POLICIES = {
    **{name: text for name, text in HOSTILE.items() if name != "a text of many lines"},
    "fifty megabytes": "x" * 50_000_000,
    "fifty megabytes of lines": "a:\n" * 16_000_000,
    "a key twice": "topics: []\ntopics: []",
    "a number that is none": "caps: .nan",
}

NAMES = [
    *(f"message: {name}" for name in MESSAGES),
    *(f"policy: {name}" for name in POLICIES),
]


def ignite(name: str) -> str:
    """Read one: whether it was refused, with its place and a remedy."""
    kind, _, which = name.partition(": ")
    if kind == "policy":
        return _as_policy(POLICIES[which])
    try:
        read_message("late", MESSAGES[which])
    except MessageFileError as error:
        return "refused" if error.line >= 1 and error.problem and error.remedy else "without words"
    except MessageCannotRenderError:
        return "refused"
    return "read"


def _as_policy(text: str) -> str:
    try:
        read_policy(text, "policy.yaml")
    except InvalidDocumentError as error:
        return "refused" if error.problems and len(str(error)) < 200_000 else "without words"
    return "read"


if __name__ == "__main__":
    read_message("late", matter("subject: Late", "{{ run.gate }}"))
    _as_policy("topics: []")
    set_off(
        [each for each in NAMES if each.startswith("message")], ignite, seconds=5, megabytes=160
    )
    # As for journeys: the place of each of 80,000 words is kept, which takes some seconds.
    set_off(
        [each for each in NAMES if each.startswith("policy")], ignite, seconds=30, megabytes=200
    )
