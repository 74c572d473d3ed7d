"""What a person types as an address, and what may be shown of it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_viewer.core.errors import UsageError
from seg_viewer.core.redact import redact, redact_text
from seg_viewer.sources import is_live, open_source
from seg_viewer.sources.address import parse_address, with_credentials


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("rtsp://joe:pw@cam/live", "rtsp://cam/live"),
        ("rtsp://joe@cam:8554/live", "rtsp://cam:8554/live"),
        ("rtsp://joe:p@w@cam/live", "rtsp://cam/live"),
        ("rtsp://joe:p/w@cam/live", "rtsp://cam/live"),
        ("rtsp://joe:p#w@cam/live", "rtsp://cam/live"),
        ("RTSP://joe:p?w@cam/live", "RTSP://cam/live"),
        ("http://cam/video?channel=1&token=abc", "http://cam/video?channel=1&token=***"),
        ("http://cam/video?PASSWORD=abc&user=joe", "http://cam/video?PASSWORD=***&user=***"),
        ("http://cam/@news/live", "http://cam/@news/live"),
        ("http://[::1]:80/@news", "http://[::1]:80/@news"),
        ("rtsp://joe:00000?@cam:554/x", "rtsp://cam:554/x"),
        ("rtsp://joe:1234/@cam/x", "rtsp://cam/x"),
        ("rtsp://bob:s3cr@t:p#w@cam/live", "rtsp://cam/live"),
        ("rtsp://bob:s3cr@t#w@cam/live", "rtsp://cam/live"),
        ("rtsp://bob:s3cr@t/w@cam/live", "rtsp://cam/live"),
        ("rtsp://bob:p@t:w/@cam/live", "rtsp://cam/live"),
        ("rtsp://bob:pw@cam:554/live@1", "rtsp://cam:554/live@1"),
        ("srt://cam:9000?passphrase=abc&latency=20", "srt://cam:9000?passphrase=***&latency=20"),
        ("clips/me@home.mp4", "clips/me@home.mp4"),
        ("camera:0", "camera:0"),
    ],
)
def test_what_opens_doors_is_not_shown(typed: str, shown: str) -> None:
    assert redact(typed) == shown


def test_addresses_in_a_text_lose_theirs_too() -> None:
    text = redact_text("OSError: 'rtsp://joe:pw@cam/live?token=x' and http://a:b@c/d, clip.mp4")
    assert text == "OSError: 'rtsp://cam/live?token=***' and http://c/d, clip.mp4"


_PASSWORD = st.text(st.characters(codec="ascii", exclude_characters=" \n", min_codepoint=33), min_size=6)


@given(user=st.from_regex(r"[a-z]{4,8}", fullmatch=True), password=_PASSWORD)
def test_no_password_comes_through_whatever_is_in_it(user: str, password: str) -> None:
    if password.isdigit():
        password += "x"
    assert password not in redact(f"rtsp://{user}:{password}@10.0.0.7:554/x")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("rtsp://joe:pw@/live", "names no host"),
        ("rtsp://joe:pw@cam:99999/live", "is no address"),
        ("rtsp://joe:pw@cam/live#speed=3", "no option 'speed'; it has transport, timeout"),
        ("rtsp://joe:pw@cam/live#transport=sctp", "choose tcp or udp"),
        ("http://joe:pw@cam/live#transport=udp", "http has no choice of transport"),
        ("rtsp://joe:pw@cam/live#timeout=soon", "a number from 0.2 to 120"),
        ("rtsp://joe:pw@cam/live#timeout=", "has no value"),
        ("rtsp://joe:pw@cam/live#timeout", "key=value"),
    ],
)
def test_a_bad_address_is_one_line_without_the_password(typed: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_source(typed)
    text = str(raised.value)
    assert message in text and "\n" not in text
    assert "joe" not in text and "p/w" not in text and "pw" not in text


def test_options_behind_the_hash_are_ours_and_not_the_servers() -> None:
    address = parse_address("rtsp://joe:pw@cam/live?a=1#transport=udp&timeout=12")
    assert address.url == "rtsp://joe:pw@cam/live?a=1"
    assert (address.name, address.transport, address.timeout_s) == ("rtsp://cam/live?a=1", "udp", 12)
    assert "pw" not in repr(address)


@pytest.mark.parametrize("text", ["rtsp://h/x", "HTTPS://h/x", "udp://@:1234", "camera:0", "/dev/video2", "screen"])
def test_live(text: str) -> None:
    assert is_live(text)


@pytest.mark.parametrize("text", ["clip.mp4", "demo", "screen.mp4", "camera.mp4", "/dev/shm/a.mp4", "C:/clip.mp4"])
def test_not_live(text: str) -> None:
    assert not is_live(text)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("rtsp://bob:s3cr@t:p#w@cam/live#timeout=9", "rtsp://bob:s3cr%40t%3Ap%23w@cam/live"),
        ("rtsp://bob:p/w@cam/live", "rtsp://bob:p%2Fw@cam/live"),
        ("rtsp://bob:p?w@cam:554/live", "rtsp://bob:p%3Fw@cam:554/live"),
        ("rtsp://bob:p%w@cam/live", "rtsp://bob:p%25w@cam/live"),
        ("rtsp://bob:ü ß@cam/live", "rtsp://bob:%C3%BC%20%C3%9F@cam/live"),
        ("rtsp://bob:p%2Fw%23@cam/live", "rtsp://bob:p%2Fw%23@cam/live"),
        ("rtsp://bob:pw@cam/live@1", "rtsp://bob:pw@cam/live@1"),
        ("http://cam/@news/live", "http://cam/@news/live"),
        ("http://cam:80/@news", "http://cam:80/@news"),
        ("http://[::1]:80/@news", "http://[::1]:80/@news"),
        ("http://cam/live", "http://cam/live"),
    ],
)
def test_odd_characters_in_a_password_are_encoded_for_whoever_types_them(typed: str, read: str) -> None:
    assert parse_address(typed).url == read


@given(user=st.from_regex(r"[a-z]{4,8}", fullmatch=True), password=_PASSWORD)
def test_a_password_that_was_asked_for_arrives_whatever_is_in_it(user: str, password: str) -> None:
    address = parse_address(with_credentials("rtsp://old:p/w@10.0.0.7:554/x#timeout=9", user, password))
    parts = urlsplit(address.url)
    assert (parts.hostname, parts.port, parts.path, address.timeout_s) == ("10.0.0.7", 554, "/x", 9)
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)
    assert address.name == "rtsp://10.0.0.7:554/x" and address.has_user
