"""The `clew` command. Exit codes: 0 done, 1 failed, 2 wrong use or missing settings."""

import sys
from typing import NoReturn

import typer

from cli import (
    audit,
    backtest,
    case_acts,
    case_hooks,
    cases,
    channel_keys,
    conversation,
    customer_links,
    doctor,
    engine,
    entries,
    erasing,
    feedback,
    figures,
    graph,
    history_keys,
    identity,
    journey_map,
    members,
    message_links,
    moment,
    preview,
    problems,
    publishing,
    queues,
    replay_check,
    runs,
    send_test,
    staff_figures,
    staff_tokens,
    stops,
    sweeping,
    testing,
    touchpoints,
    up,
    write_keys,
)
from cli.demo import command as demo
from cli.output import FAILED, CommandError, say

app = typer.Typer(
    name="clew",
    help="Keep the promises made to each customer: journeys that survive, on Temporal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (
    up,
    publishing,
    preview,
    send_test,
    message_links,
    graph,
    journey_map,
    testing,
    testing,
    backtest,
    touchpoints,
    entries,
    runs,
    stops,
    cases,
    case_acts,
    case_hooks,
    members,
    queues,
    feedback,
    conversation,
    identity,
    customer_links,
    erasing,
    moment,
    problems,
    write_keys,
    staff_figures,
    figures,
    staff_tokens,
    audit,
    channel_keys,
    history_keys,
    engine,
    sweeping,
    replay_check,
    doctor,
    demo,
):
    group.register(app)


def main() -> NoReturn:
    """Run the command line; whatever goes wrong is told in words."""
    try:
        code = app(standalone_mode=False)
    except CommandError as error:
        say(f"Error: {error}")
        sys.exit(error.code)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sys.exit(_unexpected(error))
    sys.exit(code if isinstance(code, int) else 0)


def _unexpected(error: Exception) -> int:
    show = getattr(error, "show", None)
    if callable(show):  # wrong use, as the parser words it
        show()
        return int(getattr(error, "exit_code", 2))
    import os

    if os.environ.get("CLEW_TRACEBACK"):
        raise error
    said = str(error).split("\n", 1)[0]
    say(f"Error: {type(error).__name__}: {said}. Set CLEW_TRACEBACK=1 to see where.")
    return FAILED
