"""The gateway's pure parts: tokens, windows, the janitor, replies, and the squeezing of the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import pages, tokens
from gateway.bus import Listener
from gateway.janitor import Janitor
from gateway.limits import Window
from gateway.replies import bubbles, calls
from gateway.store import Event
from knowledge.chat import chat_words
from runtime.typed import clean

KEY = b"k" * 32


def test_a_token_lives_goes_stale_and_dies() -> None:
    session = tokens.new_session()
    token = tokens.issue(session, KEY, 1_000)
    ask = {"lifetime": 100, "rotate": 10}
    assert tokens.verify(token, KEY, 1_005, **ask) == tokens.Claim(session, stale=False)
    assert tokens.verify(token, KEY, 1_050, **ask) == tokens.Claim(session, stale=True)
    assert tokens.verify(token, KEY, 1_101, **ask) is tokens.Refusal.EXPIRED
    assert tokens.verify(token, b"other", 1_005, **ask) is tokens.Refusal.FORGED


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    assert isinstance(tokens.verify(text, KEY, 0, lifetime=1e12, rotate=1e12), tokens.Refusal)


def test_session_ids_have_128_random_bits() -> None:
    made = {tokens.new_session() for _ in range(2_000)}
    assert len(made) == 2_000 and all(re.fullmatch("[0-9a-f]{32}", session) for session in made)


def test_a_window_slides_and_forgets() -> None:
    window = Window(2, 10)
    assert [window.allow("a", now) for now in (0, 1, 2, 10.5, 11.5, 11.6)] == [True, True, False, True, True, False]
    for number in range(10_000):
        window.allow(str(number), 20)
    window.allow("b", 50)
    assert len(window._seen) == 1


def test_the_janitor_spares_what_works_and_closes_what_idles() -> None:
    closed: list[str] = []

    def connection(name: str, address: str = "10.0.0.1") -> Any:
        return SimpleNamespace(
            name=name, peername=(address, 1), transport=None, force_close=lambda: closed.append(name)
        )

    class Hashable(SimpleNamespace):
        __hash__ = object.__hash__  # type: ignore[assignment]
        __eq__ = object.__eq__

    made = [Hashable(**vars(connection(name))) for name in ("new", "working", "kept")]
    janitor = Janitor(header_seconds=5, keepalive_seconds=60, most_idle=10)
    janitor._busy[made[1]] += 1
    janitor._served.add(made[2])
    janitor.sweep(made, 0)
    janitor.sweep(made, 6)
    assert closed == ["new"]
    crowd = [Hashable(**vars(connection(str(number)))) for number in range(15)]
    assert janitor.sweep(crowd, 7) == 5


ODD: list[Any] = [
    None,
    5,
    "text",
    [],
    {},
    {"text": ""},
    {"text": ["a"]},
    {"buttons": [{"payload": "/x"}, 5, {"title": 5}]},
    {"image": "javascript:alert(1)"},
    {"image": "http://clinic.example/x.png"},
    {"custom": "x"},
    {"custom": {"kind": 5}},
    {"custom": {"no": "kind"}},
]


@pytest.mark.parametrize("message", ODD, ids=range(len(ODD)))
def test_what_is_not_understood_is_left_out(message: Any) -> None:
    assert bubbles([message]) == []


def test_text_and_custom_apart_become_one_bubble() -> None:
    (bubble,) = bubbles([{"text": "Hi."}, {"custom": {"kind": "answer", "sources": [{"id": "a", "title": "A"}]}}])
    assert bubble["text"] == "Hi." and bubble["sources"] == [{"title": "A", "payload": '/ask_source{"source": "a"}'}]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=30,
    )
)
def test_any_custom_is_bounded(value: Any) -> None:
    (bubble,) = bubbles([{"text": "Hi.", "custom": {"kind": "answer", "x": value, "terms": value, "sources": value}}])
    assert len(str(bubble)) < 200_000


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Call 911 now.", ["911"]),
        ("Call 999, or 112.", ["999", "112"]),
        ("Call 911. In 1911 there was 112-5.", ["911"]),
        ("Call or text 988, or 116 123.", ["988", "116 123"]),
        ("Rest for 999 mg? No.", ["999"]),
        ("Nothing here.", []),
    ],
)
def test_numbers_to_tap(text: str, numbers: list[str]) -> None:
    assert calls(text, ["911", "999", "112", "988", "116 123"]) == numbers


@given(st.text())
def test_clean_text_has_nothing_hidden(text: str) -> None:
    found = clean(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", found)
    assert found == found.strip()


BUILT = pages.build("911")


def test_the_whole_chat_is_small() -> None:
    names = ("page:en", "chat.css", "chat.js", "embed.js")
    assert sum(len(BUILT[name].small) for name in names) < 19_000


def test_every_word_the_page_uses_is_there() -> None:
    scripts = "".join((pages.STATIC / name).read_text() for name in pages.MODULES)
    labels = pages._labels(chat_words(), "911", "x")
    used = set(re.findall(r"\bwords\.(\w+)", scripts)) | set(
        re.findall(r"\{\{(\w+)\}\}", (pages.STATIC / "chat.html").read_text())
    )
    assert used - set(labels) == {"words"}
    assert set(chat_words().page) <= used


def test_squeezing_keeps_what_is_code() -> None:
    assert pages.squeeze_script('// a\nlet x = "https://a"; // b\n/** c\n d */\nf();\n') == 'let x = "https://a";\nf();'
    assert (
        pages.squeeze_style("/* a */\na { color: red; }\n@media print { b { c: d; } }")
        == "a{color: red}@media print{b{c: d}}"
    )


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.parametrize("name", ["chat.js", "embed.js"])
def test_what_is_sent_is_a_whole_script(name: str, tmp_path: Path) -> None:
    sent = BUILT[name].plain.decode()
    assert not re.search(r"^(import|export) ", sent, re.MULTILINE)
    path = tmp_path / "sent.mjs"
    path.write_text(sent)
    subprocess.run(["node", "--check", path], check=True, capture_output=True)


def test_nothing_is_ever_set_as_markup() -> None:
    for path in pages.STATIC.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|DOMParser", path.read_text()
        )


def heard(*wakes: tuple[int, list[int]], last: int = 4) -> list[int] | None:
    """What a stream that has written up to ``last`` is handed after ``wakes``: the newest number, and what came along."""
    listener = Listener(last)
    for newest, numbers in wakes:
        listener.hear(newest, [Event(number, 0.0, {}) for number in numbers])
    assert listener.news.is_set() == any(newest == 0 or newest > last for newest, _ in wakes)
    taken = listener.take(last)
    return None if taken is None else [event.number for event in taken]


def test_a_stream_is_handed_what_follows_and_asks_the_store_for_all_else() -> None:
    assert heard((5, [5])) == [5]
    assert heard((5, [5]), (7, [6, 7])) == [5, 6, 7]
    assert heard((5, [5]), (5, [])) == [5], "its own wake-up, come back from the server"
    assert heard((4, [4])) is None, "it has that"
    assert heard((6, [6])) is None, "one is missing"
    assert heard((5, [5]), (6, [])) is None, "another replica added one"
    assert heard((6, [6]), (5, [5])) is None, "in the wrong order"
    assert heard((5, [5]), (0, [])) is None, "the session may be gone"
