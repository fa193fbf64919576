"""As much of JSON Schema (2020-12) as pydantic writes, so that no library is needed to hold it to its word."""

import re
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}


def shape_faults(schema: dict[str, Any], data: Any) -> list[str]:
    """Where the data has another shape than the schema says."""
    return list(_faults(schema, data, schema, "$"))


def _faults(schema: dict[str, Any], data: Any, root: dict[str, Any], path: str) -> list[str]:
    if "$ref" in schema:
        target = root["$defs"][schema["$ref"].rpartition("/")[2]]
        return _faults(target, data, root, path)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            tries = [_faults(option, data, root, path) for option in schema[word]]
            return [] if any(not found for found in tries) else min(tries, key=len)
    if not _has_type(schema.get("type"), data):
        return [f"{path}: is no {schema['type']}"]
    if "const" in schema and data != schema["const"]:
        return [f"{path}: is not {schema['const']}"]
    if "enum" in schema and data not in schema["enum"]:
        return [f"{path}: is none of {schema['enum']}"]
    found = _limits(schema, data, path)
    if isinstance(data, dict):
        found += _object(schema, data, root, path)
    if isinstance(data, list):
        for index, item in enumerate(data):
            found += _faults(schema.get("items", {}), item, root, f"{path}[{index}]")
    return found


def _has_type(said: Any, data: Any) -> bool:
    if said is None:
        return True
    if isinstance(said, list):
        return any(_has_type(one, data) for one in said)
    if said in ("integer", "number"):
        return isinstance(data, int if said == "integer" else int | float) and not isinstance(
            data, bool
        )
    return isinstance(data, _TYPES[said])


def _limits(schema: dict[str, Any], data: Any, path: str) -> list[str]:
    found: list[str] = []
    if isinstance(data, str) and "pattern" in schema and not re.search(schema["pattern"], data):
        found.append(f"{path}: {data!r} does not match {schema['pattern']}")
    if isinstance(data, str | list | dict):
        least = schema.get("minLength", schema.get("minItems", schema.get("minProperties", 0)))
        most = schema.get("maxLength", schema.get("maxItems", schema.get("maxProperties", 10**9)))
        if not least <= len(data) <= most:
            found.append(f"{path}: has {len(data)} parts")
    return found


def _object(
    schema: dict[str, Any], data: dict[str, Any], root: dict[str, Any], path: str
) -> list[str]:
    known = schema.get("properties", {})
    found = [
        f"{path}: {name} is missing" for name in schema.get("required", ()) if name not in data
    ]
    others = schema.get("additionalProperties", True)
    for name, value in data.items():
        if name in known:
            found += _faults(known[name], value, root, f"{path}.{name}")
        elif others is False:
            found.append(f"{path}: {name} is not known")
        elif isinstance(others, dict):
            found += _faults(others, value, root, f"{path}.{name}")
    return found
