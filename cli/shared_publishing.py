"""Publishing blocks and the voice of the house: what is live must still find all that it puts in."""

from typing import TYPE_CHECKING

from channels.house_words import HOUSE_BLOCK, blocks_of, voice_of
from channels.message_bundle import read_message
from channels.message_file import MessageFileError
from channels.shared_words import SharedWords, message_faults
from journey.document import Problem
from stores.audit import AuditStore
from stores.messages import MessageStore
from stores.published import PublishedStore

if TYPE_CHECKING:
    from cli.journey_files import CheckedFiles
    from stores.database import Pool


async def live_words(pool: "Pool") -> SharedWords:
    """The blocks and the voice that are live."""
    shared = await MessageStore(pool).shared()
    return SharedWords(blocks=blocks_of(shared), voice=voice_of(shared))


async def held_to_live(pool: "Pool", checked: "CheckedFiles", live: SharedWords) -> list[Problem]:
    """What messages that are live, and are not published now, would no longer find."""
    if checked.voice is None and not checked.blocks:
        return []
    after = SharedWords(blocks={**live.blocks, **checked.blocks}, voice=checked.voice or live.voice)
    found: list[Problem] = []
    for message in await MessageStore(pool).all_live():
        if message.name in checked.messages:
            continue
        try:
            read = read_message(message.name, message.source)
        except MessageFileError:
            continue  # published by an earlier Clew: it is told when it is sent
        before = {fault[:3] for fault in message_faults(read, live)}
        found += [
            Problem(
                file=f"{file}.md (live)", line=line, column=1, path="", message=words, remedy=remedy
            )
            for file, line, words, remedy in message_faults(read, after)
            if (file, line, words) not in before
        ]
    return found


async def publish_shared(pool: "Pool", checked: "CheckedFiles", who: str) -> None:
    """Make blocks and voice live."""
    words, audit = PublishedStore(pool), AuditStore(pool)
    for name, text in checked.blocks.items():
        revision = await words.publish("block", name, {"text": text})
        await audit.record(who, "published", f"block {name}", {"revision": revision})
    if checked.voice is not None:
        source = checked.voice.model_dump(mode="json")
        revision = await words.publish("block", HOUSE_BLOCK, source)
        await audit.record(who, "published", "the voice of the house", {"revision": revision})
