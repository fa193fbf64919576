"""What a checkout has and an image has not: the examples, which are for trying and copying."""

from importlib.util import find_spec

from cli.output import CommandError


def need_examples(what: str) -> None:
    """Refuse in words where there are none. Raises: `CommandError`."""
    if find_spec("examples") is None:
        raise CommandError(
            f"{what} needs examples/flight, and the image holds no examples: run it in a checkout "
            "(`make install`, then .venv/bin/clew)."
        )
