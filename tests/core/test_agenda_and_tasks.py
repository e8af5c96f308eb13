"""What falls due next, and which tasks are remembered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.tasks import Agenda, Plan, Retry, Span, Task, TaskBook, TaskStep, Timeline


def _task(task_id: str, plan: Plan | None = None, start: float = 0.0) -> Task:
    timeline = Timeline.of(plan or Plan(Span(0, 0), Span(10, 10), Span(0, 0)), start)
    return Task(task_id, "toy", "toy.Brew", "tea", {}, timeline, Retry(), {})


FOREVER = Plan().revised({"outcome": "hang"})


@given(st.lists(st.integers(0, 5)))
def test_events_come_out_by_their_instant_and_then_in_the_order_they_were_noted_down(dues: list[int]) -> None:
    agenda = Agenda()
    for place, due in enumerate(dues):
        agenda.add(due, place)

    taken = [entry for _ in dues if (entry := agenda.take(5)) is not None]

    assert taken == sorted((due, place) for place, due in enumerate(dues))


def test_what_is_noted_down_later_for_an_earlier_instant_comes_first() -> None:
    agenda = Agenda()
    agenda.add(2, "later")
    agenda.add(1, "earlier")

    assert agenda.take(9) == (1, "earlier")


def test_an_event_that_is_due_at_the_very_instant_is_taken() -> None:
    agenda = Agenda()
    agenda.add(5, "tea")

    assert agenda.take(5) == (5, "tea")


def test_an_event_that_is_not_due_yet_stays() -> None:
    agenda = Agenda()
    agenda.add(5, "tea")

    assert agenda.take(4.999) is None
    assert len(agenda) == 1


def test_an_empty_agenda_has_nothing_to_take() -> None:
    assert Agenda().take(1e12) is None


def test_the_first_instant_is_told_without_taking_anything() -> None:
    agenda = Agenda()
    agenda.add(5, "tea")
    agenda.add(3, "milk")

    assert [agenda.first(), agenda.first(), len(agenda)] == [3, 3, 2]


def test_an_empty_agenda_has_no_first_instant() -> None:
    assert Agenda().first() is None


def test_what_is_pending_is_listed_in_order_and_stays() -> None:
    agenda = Agenda()
    for due, event in ((2, "b"), (1, "a"), (2, "c")):
        agenda.add(due, event)

    assert agenda.pending() == [(1, "a"), (2, "b"), (2, "c")]
    assert len(agenda) == 3


def test_events_that_cannot_be_compared_may_be_due_at_one_instant() -> None:
    agenda = Agenda()
    agenda.add(1, {"a": 1})
    agenda.add(1, {"b": 2})

    assert agenda.take(1) == (1, {"a": 1})


def test_the_listener_is_told_when_something_falls_due_earlier_than_all_else() -> None:
    agenda, told = Agenda(), list[float]()
    agenda.listener = told.append
    for due in (5, 7, 3, 4, 1):
        agenda.add(due, None)

    assert told == [5, 3, 1]


def test_the_listener_is_not_told_of_a_second_event_at_the_first_instant() -> None:
    agenda, told = Agenda(), list[float]()
    agenda.listener = told.append
    agenda.add(5, None)
    agenda.add(5, None)

    assert told == [5]


def test_the_events_of_a_task_are_its_steps_in_order() -> None:
    task = _task("t1", Plan().revised({"progress": [10, 50]}))
    events, event = [], TaskStep.first(task)
    while event is not None:
        events.append(event.step)
        event = event.following()

    assert events == list(task.timeline.steps())


def test_the_events_of_a_task_are_counted() -> None:
    event, indices = TaskStep.first(_task("t1", Plan().revised({"progress": [10, 50]}))), list[int]()
    while event is not None:
        indices.append(event.index)
        event = event.following()

    assert indices == [0, 1, 2, 3]


def test_a_task_that_hangs_without_a_report_has_no_event() -> None:
    assert TaskStep.first(_task("t1", FOREVER)) is None


def test_a_task_is_found_by_its_id() -> None:
    book = TaskBook(10)
    task = _task("t1")
    book.add(task, 0)

    assert (book.get("t1"), book.get("t2")) == (task, None)


def test_tasks_are_listed_oldest_first() -> None:
    book = TaskBook(10)
    for name in ("b", "a", "c"):
        book.add(_task(name), 0)

    assert [task.id for task in book] == ["b", "a", "c"]


def test_finished_tasks_beyond_the_limit_are_forgotten_oldest_first() -> None:
    book = TaskBook(2)
    for name in ("a", "b", "c"):
        book.add(_task(name), 100)

    assert [task.id for task in book] == ["b", "c"]


def test_no_more_tasks_are_forgotten_than_stand_beyond_the_limit() -> None:
    book = TaskBook(3)
    for name in "abcdefgh":
        book.add(_task(name), 100)

    assert [task.id for task in book] == ["f", "g", "h"]


def test_forgotten_tasks_are_counted() -> None:
    book = TaskBook(2)
    for name in ("a", "b", "c", "d"):
        book.add(_task(name), 100)

    assert (book.created, book.evicted, len(book)) == (4, 2, 2)


def test_a_task_that_still_runs_is_never_forgotten() -> None:
    book = TaskBook(2)
    for name in ("a", "b", "c", "d"):
        book.add(_task(name, start=100), 105)

    assert (len(book), book.evicted) == (4, 0)


def test_a_task_that_hangs_is_never_forgotten() -> None:
    book = TaskBook(1)
    book.add(_task("a", FOREVER), 1e9)
    book.add(_task("b"), 1e9)
    book.add(_task("c"), 1e9)

    assert book.get("a") is not None


def test_finished_tasks_make_room_even_if_many_older_ones_never_end() -> None:
    book = TaskBook(14)
    for number in range(12):
        book.add(_task(f"hangs-{number}", FOREVER), 1e9)
    for number in range(100):
        book.add(_task(f"ends-{number}"), 1e9)

    assert len(book) <= 14 + 14 // 4
    assert len(book) + book.evicted == 112
    assert [task.id for task in book][:12] == [f"hangs-{number}" for number in range(12)]


def test_a_task_that_has_just_been_taken_on_is_not_forgotten_to_keep_an_older_one() -> None:
    book = TaskBook(1)
    at_once = Plan(Span(0, 0), Span(0, 0), Span(0, 0))
    book.add(_task("old", at_once), 5)
    book.add(_task("new", at_once, start=5), 5)

    assert [task.id for task in book] == ["new"]


@given(st.integers(1, 5), st.lists(st.integers(0, 3), max_size=30))
def test_what_was_created_is_kept_or_counted_as_forgotten(limit: int, lengths: list[int]) -> None:
    book = TaskBook(limit)
    for number, length in enumerate(lengths):
        plan = Plan(Span(0, 0), Span(length, length), Span(0, 0))
        book.add(_task(str(number), plan, start=number), number)

    assert book.created == len(book) + book.evicted == len(lengths)
