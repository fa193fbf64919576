"""The journeys of scenario.py in Clew's language, and their messages."""

from benchmarks.side_by_side.scenario import (
    ASKED,
    BEGAN,
    BOUGHT,
    MESSAGES,
    STEPPED,
    STEPS,
    Scenario,
)

_HEAD = """
language: 1
journey: {name}
title: {title}
owner: benchmarks
enter: {{on: {began}, when: 'event.properties.journey == "{name}"', again: always}}
"""

_CART = """
exit: [{{on: {bought}, outcome: bought}}]
stages:
  - stage: hesitating
    steps:
      - wait: {{until: {seconds}s}}
      - send: {{message: reminder, purpose: service}}
      - wait: {{until: {seconds}s}}
      - send: {{message: handover, purpose: service}}
      - finish: handed-over
"""

_ANSWER = """
stages:
  - stage: waiting
    steps:
      - wait: {{any: [{{on: {asked}}}], forever: true}}
      - send: {{message: answer, purpose: service}}
      - finish: answered
"""

_WAVE = """
keep: {due: event.properties.due}
stages:
  - stage: waiting
    steps:
      - wait: {until: timestamp(run.due)}
      - send: {message: due, purpose: service}
      - finish: told
"""


def journeys(scenario: Scenario) -> dict[str, str]:
    """The source of each journey by name."""
    step = f"      - wait: {{any: [{{on: {STEPPED}}}], forever: true}}\n"
    step += "      - send: {message: step, purpose: service}\n"
    long = f"stages:\n  - stage: walking\n    steps:\n{step * STEPS}      - finish: walked\n"
    bodies = {
        "cart": (
            "A cart that somebody left",
            _CART.format(bought=BOUGHT, seconds=scenario.wait_seconds),
        ),
        "answer": ("A question that is answered", _ANSWER.format(asked=ASKED)),
        "long": ("A walk of forty steps", long),
        "wave": ("What is due at one instant", _WAVE),
    }
    return {
        name: (_HEAD.format(name=name, title=title, began=BEGAN) + body).lstrip()
        for name, (title, body) in bodies.items()
    }


def messages() -> dict[str, str]:
    """The source of each message by name."""
    return {
        name: f'---\nsubject: "About your cart"\npurpose: service\n---\nHello,\n\nthis is the {name}.\n'
        for name in MESSAGES
    }
