"""A file that somebody else made, on its way to a browser: saved, never opened."""

from urllib.parse import quote

SAVED_AS = "application/octet-stream"
"""The type that says nothing: a browser looks for none of its own."""


def headers_of(name: str) -> dict[str, str]:
    """Headers under which a browser saves a file by this name, and runs nothing of it (RFC 6266, RFC 8187)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    plain = "".join(each if each.isprintable() else "_" for each in plain)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
