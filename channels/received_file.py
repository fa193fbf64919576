"""A file that came with a message: a name that harms nobody, and the type that its bytes show."""

import re
import unicodedata

from channels.mail_words import one_line
from contracts.inbound_message import InboundFile

LONGEST_NAME = 120
UNKNOWN = "application/octet-stream"

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_FTYP = {b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic", b"M4A ": "audio/mp4"}
_MARKUP = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<script|<\?xml|<svg)", re.IGNORECASE)
_TEXTS = {"text/plain", "text/csv", "application/json"}
# What Windows keeps for devices, whatever stands behind the point.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def received_file(name: str | None, told: str, content: bytes) -> InboundFile:
    """The file as it is kept. `told` is the type that the sender said it had."""
    kind = media_type(content, told)
    return InboundFile(name=clean_name(name, kind), media_type=kind, content=content)


def media_type(content: bytes, told: str) -> str:
    """What the bytes are. What the sender says is believed only of plain text and tables."""
    for beginning, kind in _BEGINNINGS:
        if content.startswith(beginning):
            return kind
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], UNKNOWN)
    if content[4:8] == b"ftyp":
        return _FTYP.get(content[8:12], "video/mp4")
    if b"\x00" in content[:4_000]:
        return UNKNOWN
    if _MARKUP.match(content[:1_000]):
        return "text/html"
    try:
        content[:4_000].decode("utf-8", "strict" if len(content) <= 4_000 else "ignore")
    except UnicodeDecodeError:
        return UNKNOWN
    told = told.strip().lower()
    return told if told in _TEXTS else "text/plain"


def clean_name(name: str | None, kind: str) -> str:
    """A name without a path, control signs or letters that turn the direction of reading."""
    told = unicodedata.normalize("NFC", one_line(name or ""))
    told = "".join(letter for letter in told if unicodedata.category(letter)[0] != "C")
    told = _NOT_IN_NAMES.sub("_", told.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if not told or _DEVICES.match(told):
        told = f"file{'_' + told if told else ''}"
    if "." not in told:
        told += _ENDINGS.get(kind, "")
    stem, point, ending = told.rpartition(".")
    if point and 0 < len(ending) <= 10:
        return f"{stem[: LONGEST_NAME - 11]}.{ending}"
    return told[:LONGEST_NAME]


_ENDINGS = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/amr": ".amr",
    "video/mp4": ".mp4",
    "text/plain": ".txt",
    "text/vcard": ".vcf",
    "text/calendar": ".ics",
}
