"""Values on the wire: plain JSON that any SDK can read and write, without what is as it always is."""

from functools import lru_cache
from typing import Any, cast

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    CompositePayloadConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError

DEFINITION_KEY = "clew-definition"
"""Metadata of a payload whose reader needs the definition of this version."""

READABLE_KEY = "clew-readable"
"""Metadata of a payload that stays readable where history is sealed."""


ERASED = "__erased__"
"""In what is left of a value whose key was destroyed."""


REFUSED = "RefusedTouchpointError"
"""Type of the error that a refused update is answered with."""

NOT_YET = "NotYetError"
"""Type of the error that an update is answered with which can be answered in a moment: send it again."""


class Answer(dict[str, Any]):
    """An answer to a query or an update: ids and words only, readable for everybody who may ask."""


@lru_cache(maxsize=512)
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


class PydanticJsonConverter(JSONPlainPayloadConverter):
    """Dataclasses by pydantic as `json/plain`; a value that names a definition marks its payload with it."""

    def to_payload(self, value: Any) -> Payload | None:
        if isinstance(value, Answer):
            said = _adapter(dict[str, Any]).dump_json(dict(value))
            return Payload(metadata={"encoding": b"json/plain", READABLE_KEY: b"1"}, data=said)
        data = _adapter(cast("type[object]", type(value))).dump_json(value, exclude_defaults=True)
        metadata = {"encoding": self.encoding.encode()}
        if getattr(value, "stays_readable", False):
            metadata[READABLE_KEY] = b"1"
        version = getattr(value, "definition_version", None)
        if version is not None:
            metadata[DEFINITION_KEY] = str(version).encode()
        return Payload(metadata=metadata, data=data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        return _adapter(type_hint if type_hint is not None else Any).validate_json(payload.data)


class SealedFailureConverter(DefaultFailureConverterWithEncodedAttributes):
    """Failures with words and stack traces where the codec seals them, but for refused updates.

    A refused update is answered to whoever sent it, of any SDK, and leaves nothing in a history.
    """

    def __init__(self) -> None:
        super().__init__()
        self._plain = DefaultFailureConverter()

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        refused = isinstance(exception, ApplicationError) and exception.type == REFUSED
        converter = self._plain if refused else super()
        converter.to_failure(exception, payload_converter, failure)


class ClewPayloadConverter(CompositePayloadConverter):
    """The SDK's converters with JSON by pydantic."""

    def __init__(self) -> None:
        super().__init__(
            *(
                converter
                if not isinstance(converter, JSONPlainPayloadConverter)
                else PydanticJsonConverter()
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )
