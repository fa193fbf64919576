"""What holds for every channel, the fake and the real ones alike."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels.recording import Busy, RefuseForGood, StallAfterAccept, StallBeforeAccept
from tests.integration.channels.conftest import Provider, a_message


async def test_a_message_that_was_taken_has_the_providers_id(provider: Provider) -> None:
    answer = await provider.channel.send(a_message())

    assert answer.provider_id
    assert provider.subjects() == ["Gate B4"]


async def test_the_same_key_has_the_same_id_at_every_attempt(provider: Provider) -> None:
    first = await provider.channel.send(a_message(n=1))
    again = await provider.channel.send(a_message(n=1))
    other = await provider.channel.send(a_message(n=2))

    assert first == again or not provider.repeats_its_id
    assert first != other


async def test_a_refusal_for_good_is_told_in_the_providers_words(provider: Provider) -> None:
    provider.script("anna@example.com", [RefuseForGood("550 5.1.1 no such mailbox")])

    with pytest.raises(ProviderRefusedError) as caught:
        await provider.channel.send(a_message())

    assert caught.value.words.startswith("550")
    assert "no such mailbox" in caught.value.words
    assert caught.value.reason == "bounced"
    assert provider.subjects() == []


async def test_a_busy_provider_took_nothing_and_takes_it_later(provider: Provider) -> None:
    provider.script("anna@example.com", [Busy(), Busy()])

    for _ in range(2):
        with pytest.raises(ProviderBusyError):
            await provider.channel.send(a_message())
    assert provider.subjects() == []

    await provider.channel.send(a_message())
    assert provider.subjects() == ["Gate B4"]


@pytest.mark.parametrize(("stall", "taken"), [(StallAfterAccept(), 1), (StallBeforeAccept(), 0)])
async def test_an_answer_that_never_came_is_unknown_never_sent(
    provider: Provider, stall: StallAfterAccept | StallBeforeAccept, taken: int
) -> None:
    provider.script("anna@example.com", [stall])

    with pytest.raises(UnknownOutcomeError):
        await provider.channel.send(a_message())

    assert len(provider.subjects()) == taken


async def test_one_customers_trouble_is_not_anothers(provider: Provider) -> None:
    provider.script("anna@example.com", [RefuseForGood(), Busy(), StallAfterAccept()])

    for error in (ProviderRefusedError, ProviderBusyError, UnknownOutcomeError):
        with pytest.raises(error):
            await provider.channel.send(a_message())
        await provider.channel.send(a_message(n=2, to="ben@example.com"))

    assert len(provider.subjects()) == 4


async def test_many_at_once_all_arrive(provider: Provider) -> None:
    messages = [replace(a_message(n), subject=f"Gate {n}") for n in range(30)]

    await asyncio.gather(*(provider.channel.send(message) for message in messages))

    assert sorted(provider.subjects()) == sorted(message.subject for message in messages)


async def test_a_channel_says_what_it_can_do(provider: Provider) -> None:
    assert provider.channel.name == "email"
    assert provider.channel.key_window is None or provider.channel.key_window > timedelta(0)
    if not provider.channel.looks_up:
        with pytest.raises(NotImplementedError):
            await provider.channel.look_up("journey/flight/c_anna:7:1")
