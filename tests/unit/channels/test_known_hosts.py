"""Addresses from outside lead to hosts that a list names, and nowhere else."""

import pytest

from activities.message_channel import ProviderRefusedError
from channels.known_hosts import PUSH_SERVICES, is_known
from channels.provider_http import ProviderHttp


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("hooks.example.com", ["hooks.example.com"]),
        ("Hooks.Example.com.", ["hooks.example.com"]),
        ("a.b.example.org", ["*.example.org"]),
        ("anywhere.example", ["*"]),
        ("updates.push.services.mozilla.com", PUSH_SERVICES),
        ("fcm.googleapis.com", PUSH_SERVICES),
        ("web.push.apple.com", PUSH_SERVICES),
        ("db5p.notify.windows.com", PUSH_SERVICES),
    ],
)
def test_a_host_that_is_named_is_known(host: str, names: list[str]) -> None:
    assert is_known(host, names)


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("example.com", []),
        ("example.org", ["*.example.org"]),
        ("evilexample.org", ["*.example.org"]),
        ("example.org.evil.example", ["*.example.org", "example.org"]),
        ("push.example", PUSH_SERVICES),
        ("fcm.googleapis.com.evil.example", PUSH_SERVICES),
        ("storage.googleapis.com", PUSH_SERVICES),
    ],
)
def test_a_host_that_only_looks_like_one_is_not(host: str, names: list[str]) -> None:
    assert not is_known(host, names)


async def test_nobody_is_led_to_a_host_that_no_list_names() -> None:
    async def find(host: str, port: int) -> list[str]:
        del host, port
        return ["93.184.216.34"]

    way = ProviderHttp("the webhook", foreign=True, known=["hooks.example.com"], find=find)
    with pytest.raises(ProviderRefusedError, match="no list names") as refused:
        await way.post("https://evil.example/", "k", content=b"{}", headers={})
    await way.close()

    assert refused.value.reason == "unreachable"
