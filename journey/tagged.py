"""Unions on the wire keep their tag, although what is as it always is stays unwritten."""

from typing import Any

from pydantic import SerializerFunctionWrapHandler, WrapSerializer


def _with_kind(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    written: dict[str, Any] = handler(value)
    return {"kind": value.kind, **written}


KeepKind = WrapSerializer(_with_kind)
"""Put on a union of dataclasses with a `kind`: `Annotated[A | B, Field(discriminator="kind"), KeepKind]`."""
