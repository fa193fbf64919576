"""What holds for every channel, the fake and the real ones alike."""

import asyncio
from datetime import timedelta

import pytest

from activities.message_channel import (
    ProviderBusyError,
    ProviderRefusedError,
    UnknownOutcomeError,
)
from channels.recording import Busy, RefuseForGood, StallAfterAccept, StallBeforeAccept
from journey.channels import CHANNELS
from tests.integration.channels.providers import Provider


async def test_a_message_that_was_taken_has_the_providers_id(provider: Provider) -> None:
    answer = await provider.channel.send(provider.message())

    assert answer.provider_id
    assert provider.subjects() == ["Gate B4"]


async def test_the_same_key_has_the_same_id_at_every_attempt_where_the_provider_can(
    provider: Provider,
) -> None:
    first = await provider.channel.send(provider.message(1))
    again = await provider.channel.send(provider.message(1))
    other = await provider.channel.send(provider.message(2))

    assert (first == again) is provider.same_id
    assert first != other
    if provider.channel.key_window is not None:
        assert len(provider.subjects()) == 2


async def test_a_refusal_for_good_is_told_in_words_and_with_its_reason(provider: Provider) -> None:
    provider.script(provider.anna, [RefuseForGood("550 5.1.1 no such mailbox")])

    with pytest.raises(provider.says_no) as caught:
        await provider.channel.send(provider.message())

    assert str(caught.value)
    if isinstance(caught.value, ProviderRefusedError):
        assert caught.value.reason == provider.reason
        assert caught.value.words
    assert provider.subjects() == []


async def test_a_busy_provider_took_nothing_and_takes_it_later(provider: Provider) -> None:
    provider.script(provider.anna, [Busy(), Busy()])

    for _ in range(2):
        with pytest.raises(provider.says_later):
            await provider.channel.send(provider.message())
    assert provider.subjects() == []

    await provider.channel.send(provider.message())
    assert provider.subjects() == ["Gate B4"]


async def test_a_provider_that_asks_for_a_pause_gets_it(provider: Provider) -> None:
    provider.script(provider.anna, [Busy(timedelta(seconds=7))])

    with pytest.raises(provider.says_later) as caught:
        await provider.channel.send(provider.message())

    if isinstance(caught.value, ProviderBusyError):
        asked = timedelta(seconds=7) if provider.tells_pause else None
        assert caught.value.retry_after == asked


@pytest.mark.parametrize(("stall", "taken"), [(StallAfterAccept(), 1), (StallBeforeAccept(), 0)])
async def test_an_answer_that_never_came_is_unknown_never_sent(
    provider: Provider, stall: StallAfterAccept | StallBeforeAccept, taken: int
) -> None:
    provider.script(provider.anna, [stall])

    with pytest.raises(UnknownOutcomeError):
        await provider.channel.send(provider.message())

    assert len(provider.subjects()) == taken


async def test_a_provider_that_is_away_took_nothing(provider: Provider) -> None:
    if provider.goes_away is None:
        return
    await provider.goes_away()

    with pytest.raises(ProviderBusyError):
        await provider.channel.send(provider.message())


async def test_one_customers_trouble_is_not_anothers(provider: Provider) -> None:
    provider.script(provider.anna, [RefuseForGood(), Busy(), StallAfterAccept()])

    for n, error in enumerate((provider.says_no, provider.says_later, UnknownOutcomeError)):
        with pytest.raises(error):
            await provider.channel.send(provider.message())
        await provider.channel.send(provider.message(2 + n, to=1))

    assert len(provider.subjects()) == 4


async def test_many_at_once_all_arrive(provider: Provider) -> None:
    messages = [provider.message(n, f"Gate {n}") for n in range(30)]

    await asyncio.gather(*(provider.channel.send(message) for message in messages))

    assert sorted(provider.subjects()) == sorted(message.subject for message in messages)


async def test_no_address_is_in_the_words_of_an_error(provider: Provider) -> None:
    provider.script(provider.anna, [RefuseForGood(), Busy(), StallAfterAccept()])

    for error in (provider.says_no, provider.says_later, UnknownOutcomeError):
        with pytest.raises(error) as caught:
            await provider.channel.send(provider.message())
        assert not provider.own_words or provider.anna not in str(caught.value)


async def test_a_channel_says_what_it_can_do(provider: Provider) -> None:
    key = provider.message().key
    assert provider.channel.name in CHANNELS
    assert provider.channel.provider.islower()
    assert provider.channel.key_window is None or provider.channel.key_window > timedelta(0)
    if not provider.channel.looks_up:
        with pytest.raises(NotImplementedError):
            await provider.channel.look_up(key)
        return
    assert await provider.channel.look_up(key) is None
    answer = await provider.channel.send(provider.message())
    assert await provider.channel.look_up(key) == answer
