# SPDX-License-Identifier: Apache-2.0
"""Nothing secret survives, however it is written."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from flowanchor_daemon.doctor.redact import HOME, NAME, PLACE, PRIVATE, TOKEN, Redactor
from hypothesis import given
from hypothesis import strategies as st

letters = st.characters(categories=("Ll", "Lu", "Nd", "Lo"))
names = st.text(letters, min_size=1, max_size=12).flatmap(
    lambda start: st.text(st.sampled_from("abcxyz09._- "), max_size=6).map(lambda end: (start + end).strip())
)
homes = st.builds(
    lambda pattern, name: pattern.replace("*", name),
    st.sampled_from(
        ["/home/*", "/Users/*", "C:\\Users\\*", "/root", "/srv/people/*", "\\\\server\\share\\*"]
    ),
    names,
)
tokens = st.binary(min_size=32, max_size=32).map(lambda raw: base64.urlsafe_b64encode(raw).decode()[:43])
filler = st.text(max_size=30)
WRITTEN: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": lambda text: json.dumps(text),
    "json-utf8": lambda text: json.dumps(text, ensure_ascii=False),
    "repr": ascii,
    "url": quote,
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
}
written = st.sampled_from(sorted(WRITTEN))


def spellings(secret: str) -> set[str]:
    return {way(secret).strip("\"'") for way in WRITTEN.values()} | {
        secret.upper() if secret.isascii() else secret
    }


@given(
    tokens, homes, names, written, st.lists(filler, min_size=4, max_size=4), st.sampled_from(" /:=\n\t\"'@,")
)
def test_no_token_home_or_name_survives(
    token: str, home: str, name: str, way: str, parts: list[str], gap: str
) -> None:
    redactor = Redactor(tokens=(token,), homes=(home,), names=(name,))
    text = "".join(
        part + gap + WRITTEN[way](secret) + gap
        for part, secret in zip(parts, (token, home, name, home + "/x"), strict=True)
    )
    found = redactor.redact(text)
    for secret in (token, home):
        assert not any(spelling in found for spelling in spellings(secret))
    for spelling in spellings(name):
        assert not re.search(rf"(?<![^\W_]){re.escape(spelling)}(?![^\W_])", found)


@given(st.text(st.sampled_from("abcdefghij"), min_size=1, max_size=6), filler, filler)
def test_names_go_where_they_stand_alone(name: str, before: str, after: str) -> None:
    found = Redactor(names=(name,)).redact(f"{before}/{name}/{after} user={name}, '\\n{name}' x{name}x")
    assert f"/{name}/" not in found
    assert f"={name}," not in found
    assert f"\\n{name}" not in found
    assert f"%2F{name}%2F" not in Redactor(names=(name,)).redact(f"at %2F{name}%2F")
    assert found.endswith(f" x{name}x"), "inside of words a name is a coincidence"


@given(tokens, homes, names, filler)
def test_redacting_twice_changes_nothing_more(token: str, home: str, name: str, text: str) -> None:
    redactor = Redactor(tokens=(token,), homes=(home,), names=(name,))
    once = redactor.redact(f"{text} {token} {home}/a {name} Bearer {token} token={token}")
    assert redactor.redact(once) == once


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), filler),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(filler, inner, max_size=3)),
        max_leaves=8,
    ),
    names,
)
def test_data_keeps_its_form_and_loses_names(value: object, name: str) -> None:
    redactor = Redactor(names=(name,))
    found = redactor.redact_all({"a": [value, {name: f"({name}, {name})"}], "b": (1, 2.5, None)})
    assert found["a"][1] == {name: f"({NAME}, {NAME})"}, "keys are the program's own"
    assert found["b"] == [1, 2.5, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("authorization: Bearer abc.def-123", f"authorization: {TOKEN}"),
        ('{"token": "0123456789"}', f'{{"token": "{TOKEN}"}}'),
        ('a \\"token\\": \\"0123456789\\" b', f'a \\"token\\": \\"{TOKEN}\\" b'),
        ("HF_TOKEN=hf_abcdefghijklmnopqrstuv", f"HF_TOKEN={TOKEN}"),
        ("got hf_abcdefghijklmnopqrstuv here", f"got {TOKEN} here"),
        ("api_key=abcdef123456&x=1", f"api_key={TOKEN}&x=1"),
        ("/home/anyone/clip.mov", f"{HOME}/clip.mov"),
        ("/Users/anyone", HOME),
        (r"C:\Users\anyone\x and C:\\Users\\anyone\\x", rf"{HOME}\x and {HOME}\\x"),
        ("tokens of the prompt: 12", "tokens of the prompt: 12"),
        ("sha256 " + "ab" * 32, "sha256 " + "ab" * 32),
        ("/opt/homebrew/bin", "/opt/homebrew/bin"),
    ],
)
def test_what_looks_secret_goes_and_the_rest_stays(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


def test_a_daemons_token_is_known_by_its_looks() -> None:
    from flowanchor.rendezvous import new_token

    for _ in range(50):
        token = new_token()
        assert Redactor().redact(f"call with {token}.") == f"call with {TOKEN}."


def test_prompts_go_as_a_whole_and_leave_other_words_alone() -> None:
    redactor = Redactor(private=("a red fox", "", "me", "star"))
    assert redactor.redact("edit 'A red fox' of me") == f"edit '{PRIVATE}' of me"
    assert redactor.redact_all({"started_ms": "a star, started"}) == {"started_ms": f"a {PRIVATE}, started"}


def test_where_the_program_lies_is_not_told() -> None:
    import flowanchor_daemon

    inside = Path(flowanchor_daemon.__file__).parents[2] / "flowanchor_core" / "edit.py"
    assert Redactor.of_this_machine().redact(f'File "{inside}"') == f'File "{PLACE}/flowanchor_core/edit.py"'


def test_this_machine_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = secrets.token_hex(12)
    monkeypatch.setenv("SOME_API_KEY", secret)
    monkeypatch.setenv("HOME", "/data/people/gwendolyn")
    monkeypatch.setenv("LOGNAME", "gwendolyn")
    monkeypatch.setattr("socket.gethostname", lambda: "gwens-tower.local")
    redactor = Redactor.of_this_machine(["0123456789"], ["her own words"])
    said = f"/data/people/gwendolyn/x {secret} GWENDOLYN@gwens-tower 0123456789 her own words"
    assert redactor.redact(said) == f"{HOME}/x {TOKEN} {NAME}@{NAME} {TOKEN} {PRIVATE}"


def test_a_user_without_a_home_has_none_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert Redactor.of_this_machine().redact("/mnt/footage") == "/mnt/footage"
