"""The journal: bounded, counted, without secrets."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.exchange import Reply
from emulator.core.journal import ClockEntry, Journal, JournalLimits, RequestEntry, redact, redact_headers
from tests.support.toy_cloud import request


def _note(journal: Journal, body: bytes = b"", answer: bytes = b"") -> RequestEntry:
    reply = Reply(200, {}, answer)
    return journal.note_request(1.0, "toy.Brew", None, "", (("claim", "toy"),), request("/", body=body), reply, 0.5)


def test_a_request_is_kept_with_what_was_decided() -> None:
    journal = Journal(JournalLimits())

    entry = _note(journal, b"tea", b"ready")

    assert (entry.number, entry.at, entry.operation, entry.status, entry.latency) == (1, 1.0, "toy.Brew", 200, 0.5)
    assert (entry.body, entry.reply.body, entry.trace) == (b"tea", b"ready", (("claim", "toy"),))


def test_the_entries_are_listed_oldest_first() -> None:
    journal = Journal(JournalLimits())
    for body in (b"a", b"b", b"c"):
        _note(journal, body)

    assert [entry.body for entry in journal.requests] == [b"a", b"b", b"c"]


def test_a_move_of_the_clock_is_kept_between_the_requests() -> None:
    journal = Journal(JournalLimits())
    _note(journal)
    journal.note_clock(1.0, 5.0, 2)
    _note(journal)

    assert list(journal)[1] == ClockEntry(2, 5.0, 1.0, 2)
    assert [entry.number for entry in journal.requests] == [1, 3]


def test_beyond_so_many_entries_the_oldest_are_forgotten_and_counted() -> None:
    journal = Journal(JournalLimits(entries=3))
    for _ in range(10):
        _note(journal)

    assert [entry.number for entry in journal] == [8, 9, 10]
    assert (len(journal), journal.created, journal.evicted) == (3, 10, 7)


def test_beyond_so_many_bytes_the_oldest_are_forgotten_and_counted() -> None:
    journal = Journal(JournalLimits(total=100))
    for _ in range(5):
        _note(journal, b"x" * 30, b"y" * 10)

    assert [entry.number for entry in journal] == [4, 5]
    assert journal.evicted == 3


def test_the_bodies_of_requests_and_replies_are_counted_alike() -> None:
    journal = Journal(JournalLimits(total=100))
    _note(journal, b"", b"y" * 60)
    _note(journal, b"x" * 60, b"")

    assert [entry.number for entry in journal] == [2]


def test_one_entry_that_is_too_large_leaves_an_empty_journal() -> None:
    journal = Journal(JournalLimits(total=10))
    _note(journal, b"", b"y" * 11)

    assert (len(journal), journal.created, journal.evicted) == (0, 1, 1)


def test_what_was_forgotten_makes_room() -> None:
    journal = Journal(JournalLimits(total=10))
    _note(journal, b"", b"y" * 11)
    _note(journal, b"", b"y" * 10)

    assert [entry.number for entry in journal] == [2]


def test_a_long_body_is_cut() -> None:
    journal = Journal(JournalLimits(body=4))

    assert _note(journal, b"0123456789").body == b"0123"


def test_the_whole_body_is_not_kept_beside_the_cut_one() -> None:
    journal = Journal(JournalLimits(body=4))

    kept = _note(journal, b"0123456789").request

    assert (kept.body, kept.content) == (b"", b"")


def test_everything_else_of_the_request_is_kept() -> None:
    journal = Journal(JournalLimits())
    came = request("/toy/Brew", query="a=1", host="toy.test", body=b"tea", x_toy_key="K1")

    kept = journal.note_request(0, None, None, "", (), came, Reply(200, {}, b""), 0).request

    assert (kept.path, kept.query, kept.host, kept.headers) == ("/toy/Brew", "a=1", "toy.test", {"X-Toy-Key": "K1"})


def test_those_who_look_are_told_of_every_entry() -> None:
    journal, told = Journal(JournalLimits()), list[int]()
    unsubscribe = journal.changes.subscribe(lambda: told.append(journal.created))
    _note(journal)
    journal.note_clock(0, 1, 0)
    unsubscribe()
    _note(journal)

    assert told == [1, 2]


@given(st.lists(st.integers(0, 40)), st.integers(1, 5), st.integers(0, 100))
def test_a_journal_keeps_within_its_limits_and_its_count_never_lies(sizes: list[int], entries: int, total: int) -> None:
    journal = Journal(JournalLimits(entries=entries, total=total))
    for size in sizes:
        _note(journal, b"x" * size, b"y")

    assert len(journal) <= entries
    assert sum(len(entry.body) + len(entry.reply.body) for entry in journal.requests) <= total
    assert journal.created == len(journal) + journal.evicted == len(sizes)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("client_id=a&client_secret=s3cret&x=1", "client_id=a&client_secret=***&x=1"),
        ("access_token=24.0a1b.2592000.1769817600.282335-1", "access_token=***"),
        ("a=1&access_token=24.0a1b", "a=1&access_token=***"),
        ("X-Amz-Signature=0a1b2c", "X-Amz-Signature=***"),
        ("X-Amz-Security-Token=AQoDYXdz", "X-Amz-Security-Token=***"),
        ("CLIENT_SECRET=s3cret", "CLIENT_SECRET=***"),
        ('{"access_token": "24.0a1b"}', '{"access_token": "***"}'),
        ('{"refresh_token":"25.0a1b","expires_in":1}', '{"refresh_token":"***","expires_in":1}'),
        ('{"session_key":"9mzd+/=="}', '{"session_key":"***"}'),
        ('{"session_secret" : "0a1b"}', '{"session_secret" : "***"}'),
        ("document=%7B%22client_secret%22%3A%22s3cret%22%7D", "document=%7B%22client_secret%22%3A%22***%22%7D"),
        ("https://x.test/?access_token=24.0a1b#top", "https://x.test/?access_token=***"),
    ],
)
def test_the_values_of_secrets_are_blotted_out(text: str, shown: str) -> None:
    assert redact(text) == shown


def _nested(secret: str, deep: int) -> str:
    """JSON with a secret, in a text of JSON, and so on."""
    text = json.dumps({"client_secret": secret, "x": 1})
    for _ in range(deep):
        text = json.dumps({"inner": text, "y": [1]})
    return text


@pytest.mark.parametrize("deep", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "secret", ["s3cret", "", 'a"s3cret', "a\\s3cret", "s3cret\\", "a&s3cret", "密s3cret\n", "{s3cret}"]
)
def test_a_secret_in_json_is_blotted_out_however_deep_it_is(secret: str, deep: int) -> None:
    shown = redact(_nested(secret, deep))

    assert "s3cret" not in shown
    assert "***" in shown
    assert "client_secret" in shown


@pytest.mark.parametrize("deep", [1, 2, 3])
def test_what_surrounds_a_secret_deep_in_json_stays_as_it_is(deep: int) -> None:
    assert redact(_nested("s3cret", deep)) == _nested("***", deep)


@pytest.mark.parametrize("deep", [0, 1, 2])
def test_a_secret_in_json_in_a_form_is_blotted_out(deep: int) -> None:
    shown = redact("document=" + quote_plus(_nested("s3cret", deep)) + "&b=1")

    assert shown == "document=" + quote_plus(_nested("***", deep)).replace("%2A", "*") + "&b=1"


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("headers", ["", "{end}Content-Type: text/plain{end}X: y"])
@pytest.mark.parametrize("quote", ['"', ""])
def test_a_secret_in_a_multipart_form_is_blotted_out(end: str, headers: str, quote: str) -> None:
    def form(secret: str) -> str:
        first = f"Content-Disposition: form-data; name={quote}client_secret{quote}{headers.format(end=end)}"
        second = 'Content-Disposition: form-data; name="image"; filename="client_secret"'
        return end.join(["--b", first, "", secret, "--b", second, "", "picture", "--b--", ""])

    assert redact(form(f"s3{end}cret")) == form("***")


@pytest.mark.parametrize(
    "text",
    [
        '\\"client_secret\\":\\"' * 3000,
        "client_secret" + "\\" * 60_000 + "client_secret",
        "client_secret" + "%5C" * 20_000 + "client_secret",
        '; name="client_secret"' * 3000,
        '; name="client_secret"\r\n' * 3000,
        '"client_secret"' + " " * 60_000,
    ],
)
def test_no_body_makes_the_search_for_secrets_endless(text: str) -> None:
    assert redact(text)


def test_letters_that_grow_when_made_small_shift_nothing() -> None:
    assert redact("İ" * 200 + "&client_secret=s3cret") == "İ" * 200 + "&client_secret=***"


@pytest.mark.parametrize(
    "text",
    [
        "client_secret=ab%2Bs3cret%3D%3D",
        "client_secret=s3cret%2Fs3cret&x=1",
        "X-Amz-Security-Token=AQ%2Fs3cret%3D",
        "access_token=a%22s3cret",
        '{"client_secret": "a\\"s3cret"}',
        '{"client_secret": "a b s3cret"}',
        '{"client_secret": "a&s3cret"}',
        '{"client_secret": "a%s3cret"}',
    ],
)
def test_no_part_of_a_secret_is_left_whatever_signs_it_has(text: str) -> None:
    assert "s3cret" not in redact(text)


@pytest.mark.parametrize("text", ["", "Action=CreateTask&points=10", "client_id=abc", '{"token": "no secret of ours"}'])
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer abc.def", "Bearer ***"),
        ("Authorization", "Basic dXNlcjpwYXNz", "Basic ***"),
        ("authorization", "something else", "***"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request, SignedHeaders=host, Signature=0a1b2c",
            "AWS4-HMAC-SHA256 Credential=AK/20260101/r/s/aws4_request, SignedHeaders=host, Signature=***",
        ),
        (
            "Authorization",
            "bce-auth-v1/AK/2026-01-01T00:00:00Z/1800/host;x-bce-date/0a1b2c",
            "bce-auth-v1/AK/2026-01-01T00:00:00Z/1800/host;x-bce-date/***",
        ),
        ("Cookie", "session=1", "***"),
        ("Proxy-Authorization", "Basic dXNlcjpwYXNz", "Basic ***"),
        ("X-Amz-Security-Token", "AQoDYXdz", "***"),
        ("Referer", "http://x.test/?access_token=24.0a1b", "http://x.test/?access_token=***"),
        ("Content-Type", "application/json", "application/json"),
    ],
)
def test_secret_headers_are_blotted_out_as_far_as_they_are_secret(name: str, value: str, shown: str) -> None:
    assert redact_headers({name: value}) == [[name, shown]]


def test_the_latest_bodies_that_are_cut_stay_whole_beside_the_entries() -> None:
    journal = Journal(JournalLimits(body=4, whole=25))

    entries = [_note(journal, body) for body in (b"0123456789", b"tea", b"abcdefghij", b"ABCDEFGHIJ")]

    assert [journal.content(entry) for entry in entries] == [None, b"tea", b"abcdefghij", b"ABCDEFGHIJ"]


def test_a_body_that_is_too_large_to_stay_whole_does_not() -> None:
    journal = Journal(JournalLimits(body=4, whole=5))

    assert journal.content(_note(journal, b"0123456789")) is None


def test_no_more_stays_whole_than_all_bodies_may_have() -> None:
    journal = Journal(JournalLimits(body=4, total=9))

    assert journal.content(_note(journal, b"0123456789")) is None


def test_with_an_entry_its_whole_body_is_forgotten() -> None:
    journal = Journal(JournalLimits(entries=1, body=4))
    first = _note(journal, b"0123456789")
    _note(journal)

    assert journal.content(first) is None
