"""Following an account on a clock of its own: nothing lost, nothing twice, within the quota."""

from __future__ import annotations

import statistics
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdalog.clock import ManualClock
from lambdalog.query.pattern import parse
from lambdalog.tail.aws import AwsSource
from lambdalog.tail.budget import FIRST_RATE, MOST_RATE, Budget
from lambdalog.tail.following import AwsFollowing
from lambdalog.tail.wanted import Wanted
from tests.unit.tail.simulation import Account, Session, Written, busy_account, refusal

if TYPE_CHECKING:
    from lambdalog.tail import Line


def follow(account: Account, wanted: Wanted | None = None, session: Any = None) -> AwsFollowing:
    """Follow an account from now on."""
    source = AwsSource(account, wanted or Wanted(), clock=account.clock)
    return AwsFollowing(source, account.clock.now_ms(), session=session)


def written(account: Account, group: str, *delays: int) -> None:
    """Events a second apart, from now on, each seen `delay` ms after its time."""
    now = account.clock.now_ms()
    account.events[group] = [
        Written(now + n * 1000, now + n * 1000 + delay, n) for n, delay in enumerate(delays)
    ]


def take(following: AwsFollowing, seconds: float) -> list[Line]:
    """What comes in so much of the account's time."""
    clock = following._clock
    until = clock.monotonic() + seconds
    found: list[Line] = []
    while clock.monotonic() < until:
        found += following.poll(min(1.0, until - clock.monotonic()))
    return found


class Run(NamedTuple):
    """What came of following a busy account."""

    account: Account
    delays: list[float]
    missing: int
    doubled: int
    calls: float
    notes: list[str]


def simulate(
    groups: int,
    seconds: float,
    *,
    quota: float | None = None,
    live: bool = True,
    budget: Budget | None = None,
) -> Run:
    """Follow a busy account until all that it wrote must have been seen."""
    clock = ManualClock()
    account = busy_account(clock, groups, seconds)
    account.quota = quota
    source = AwsSource(account, Wanted(), clock=clock, budget=budget)
    following = AwsFollowing(source, clock.now_ms(), session=Session if live else None)
    expected = {
        (name, event.number): event.visible for name, events in account.events.items() for event in events
    }
    delays: list[float] = []
    notes: list[str] = []
    seen: set[tuple[str, int]] = set()
    doubled = 0
    begin = clock.monotonic()
    quiet_since = begin + seconds + 10
    while len(seen) < len(expected) and clock.monotonic() < quiet_since + groups:
        for line in following.poll(1.0):
            key = (line.group, int(line.message.split()[1]))
            doubled += key in seen
            seen.add(key)
            delays.append((clock.now_ms() - expected[key]) / 1000)
        notes += following.notes()
    # What came once must not come again while everything is looked at anew.
    for line in take(following, 60):
        doubled += 1
        seen.add((line.group, int(line.message.split()[1])))
    following.close()
    elapsed = clock.monotonic() - begin
    return Run(account, delays, len(expected) - len(seen), doubled, len(account.calls) / elapsed, notes)


def test_thousands_of_groups_within_the_quota() -> None:
    """Of 2,000 groups every event comes once, 5 % of them late, with no more calls than AWS allows; busy groups come soon."""
    run = simulate(2000, 200, quota=10)
    assert (run.missing, run.doubled) == (0, 0)
    assert run.calls <= 10
    assert run.account.throttles < 10
    quantiles = statistics.quantiles(run.delays, n=100)
    # On the account's clock, not on ours. A group that writes once in ten minutes is looked at each five.
    assert quantiles[49] < 3
    assert quantiles[98] < 400


def test_polling_alone_loses_nothing_either() -> None:
    """Without Live Tail all of it comes, later."""
    run = simulate(300, 120, live=False)
    assert (run.missing, run.doubled) == (0, 0)
    assert run.calls <= MOST_RATE
    assert run.notes == []


def test_events_that_show_up_late_are_not_lost() -> None:
    """Whatever becomes visible within the window is given, once, however late."""
    account = Account(ManualClock())
    written(account, "g", *(8000 if n % 20 == 0 else 300 for n in range(60)))
    following = follow(account)
    found = take(following, 90)
    assert [line.message for line in sorted(found)] == [f"g {n}" for n in range(60)]
    assert following.late == 0


def test_what_comes_after_the_window_is_given_and_counted() -> None:
    """An event that is forty seconds late comes, and is spoken of."""
    account = Account(ManualClock())
    written(account, "g", 100, 40_000, 100)
    following = follow(account)
    found = take(following, 130)
    assert sorted(line.message for line in found) == ["g 0", "g 1", "g 2"]
    assert following.late == 1
    assert following.notes() == ["1 line came late, up to 40 s (1 in all)"]
    assert following.notes() == []


def test_throttling_slows_down_is_said_and_loses_nothing() -> None:
    """A refusal for the rate halves the rate, is noted, and the look is made again."""
    account = Account(ManualClock())
    written(account, "g", 100)
    account.failing = [refusal("ThrottlingException", "FilterLogEvents") for _ in range(2)]
    following = follow(account)
    assert [line.message for line in take(following, 10)] == ["g 0"]
    assert following.notes() == [
        "AWS throttles FilterLogEvents: going on with 2.5 calls a second for 1 group",
        "AWS throttles FilterLogEvents: going on with 1.3 calls a second for 1 group",
    ]


def test_a_network_that_is_down_is_waited_for() -> None:
    """No connection is said, and tried again."""
    account = Account(ManualClock())
    written(account, "g", 100)
    account.failing = [EndpointConnectionError(endpoint_url="https://logs")]
    following = follow(account)
    assert [line.message for line in take(following, 5)] == ["g 0"]
    assert following.notes()[0].startswith("AWS can't be reached, trying again")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://logs"),
        refusal("InternalFailure", "FilterLogEvents", 500),
        refusal("503", "FilterLogEvents", 503),
    ],
)
def test_an_outage_is_said_once_a_minute_and_slows_nothing_afterwards(error: Exception) -> None:
    """Neither a fault of the service nor a network that is down is throttling: the rate stays, and each line comes once."""
    account = Account(ManualClock())
    written(account, "g", *([100] * 200))
    following = follow(account)
    found = take(following, 5)
    before = following._budget.rate
    account.failing = [error] * 25
    found += take(following, 195)
    notes = following.notes()
    assert notes.count(f"AWS can't be reached, trying again: {error}") in {3, 4}
    assert notes[-1] == "AWS answers again"
    assert len(notes) == 2 * notes.count(notes[0])
    assert following._budget.rate >= before
    found += take(following, 60)
    assert sorted(line.message for line in found) == sorted(f"g {number}" for number in range(200))


@pytest.mark.parametrize("where", ["listing", "a look"])
def test_what_is_raised_is_gone_on_from(where: str) -> None:
    """Credentials that expire and are made anew: whoever polls on has every line once, from where it was."""
    account = Account(ManualClock())
    for group in ("g", "h", "i"):
        written(account, group, *([100] * 90))
    following = follow(account, Wanted(("g", "h", "i")))
    found = take(following, 10)
    expired = refusal("ExpiredTokenException", "FilterLogEvents")
    name = "describe_log_groups" if where == "listing" else "filter_log_events"
    call = getattr(account, name)
    raised = 0

    def failing(**params: Any) -> Any:
        nonlocal raised
        raised += 1
        # What fails last is a network, which is waited for.
        raise expired if raised < 4 else EndpointConnectionError(endpoint_url="https://logs")

    setattr(account, name, failing)
    until = account.clock.monotonic() + 60
    refused = 0
    while account.clock.monotonic() < until:
        try:
            found += following.poll(1.0)
        except ClientError:
            refused += 1
            account.clock.advance(1.0)
    assert refused == 3
    assert any(note.startswith("AWS can't be reached, trying again") for note in following.notes())
    setattr(account, name, call)
    found += take(following, 240)
    assert sorted(line.message for line in found) == sorted(
        f"{group} {number}" for group in ("g", "h", "i") for number in range(90)
    )


def test_a_group_that_may_not_be_read_is_said_once() -> None:
    """Of many it is left out; one that was asked for by name is an error."""
    account = Account(ManualClock(), denied=frozenset({"secret"}))
    written(account, "secret", 1)
    written(account, "open", 1)
    following = follow(account)
    assert [line.message for line in take(following, 60)] == ["open 0"]
    assert following.notes() == ["secret can't be read: Rate exceeded"]
    with pytest.raises(ClientError, match="AccessDenied"):
        take(follow(account, Wanted(("secret",))), 5)


def test_a_function_that_was_named_and_may_not_be_read_is_an_error() -> None:
    """Its group's name is longer than what was asked for."""
    account = Account(ManualClock(), denied=frozenset({"/aws/lambda/pay"}))
    written(account, "/aws/lambda/pay", 1)
    with pytest.raises(ClientError, match="AccessDenied"):
        take(follow(account, Wanted(("pay",))), 5)
    with pytest.raises(ClientError, match="AccessDenied"):
        list(AwsSource(account, Wanted(("pay",)), clock=account.clock).lines(None, None))
    source = AwsSource(account, Wanted(("p*",)), clock=account.clock)
    assert list(source.lines(None, None)) == []
    assert source.notes() == ["/aws/lambda/pay can't be read: Rate exceeded"]


def test_groups_come_and_go() -> None:
    """A group that is made is followed from its beginning; one that is deleted is no trouble, nor is one made again."""
    account = Account(ManualClock())
    written(account, "old", 1)
    following = follow(account)
    assert [line.group for line in take(following, 2)] == ["old"]
    del account.events["old"]
    written(account, "new", 1, 1)
    assert [line.message for line in take(following, 40)] == ["new 0", "new 1"]
    written(account, "old", 1)
    assert [line.group for line in take(following, 40)] == ["old"]


def test_only_what_may_be_meant_is_listed() -> None:
    """A name or a glob is asked for by what it begins with, as a group and as a function."""
    account = Account(ManualClock())
    for name in ("/aws/lambda/orders", "/aws/lambda/other", "orders", "x"):
        written(account, name, 1)
    asked: list[str] = []
    describe = account.describe_log_groups

    def listening(logGroupNamePrefix: str = "", nextToken: str = "") -> dict[str, Any]:  # noqa: N803
        asked.append(logGroupNamePrefix)
        return describe(logGroupNamePrefix, nextToken)

    account.describe_log_groups = listening  # type: ignore[method-assign]
    source = AwsSource(account, Wanted(("ord*",)), clock=account.clock)
    assert source.groups() == ["/aws/lambda/orders", "orders"]
    assert asked == ["/aws/lambda/ord", "ord"]


def test_live_tail_and_looks_give_each_line_once() -> None:
    """What a session gives, before or after a look does, comes once; also when the session ends, and begins again."""
    clock = ManualClock()
    account = busy_account(clock, 60, 400, late=0.1)
    # The same text many times, some of it in one stream and millisecond.
    events = account.events["/aws/lambda/f0000"]
    account.same_text = True
    events += [event._replace(number=10**6 + event.number) for event in events[::3]]
    events.sort()
    source = AwsSource(account, Wanted(), clock=clock, budget=Budget(clock, most=5))
    following = AwsFollowing(source, clock.now_ms(), session=partial(Session, seconds=70))
    found = take(following, 600)
    following.close()
    assert any(line.id.startswith("live:") for line in found)
    assert any(not line.id.startswith("live:") for line in found)
    expected = Counter((name, event.timestamp) for name, events in account.events.items() for event in events)
    assert Counter((line.group, line.timestamp) for line in found) == expected
    assert "the busiest of 60 groups are followed by Live Tail" in following.notes()[0]


def test_a_sampled_session_is_said_and_made_up_for() -> None:
    """More than five hundred events a second: what AWS leaves out is read by looks, and nothing is missing."""
    clock = ManualClock()
    account = busy_account(clock, 40, 300)
    now = clock.now_ms()
    name = "/aws/lambda/f0000"
    account.events[name] = sorted(
        account.events[name] + [Written(now + 150_000 + n, now + 150_200 + n, 10**6 + n) for n in range(1500)]
    )
    source = AwsSource(account, Wanted(), clock=clock, budget=Budget(clock, rate=1, most=1))
    following = AwsFollowing(source, now, session=Session)
    found = take(following, 600)
    assert len(found) == sum(map(len, account.events.values()))
    assert len({line.message for line in found}) == len(found)
    assert any("AWS samples Live Tail" in note for note in following.notes())


def test_a_session_that_fails_leaves_polling() -> None:
    """Where StartLiveTail is refused, that is said, and all comes by looks."""
    clock = ManualClock()
    account = busy_account(clock, 60, 200)
    opened = []

    def refused(*arguments: Any) -> Session:
        session = Session(*arguments, seconds=-1)
        session.trouble = "AccessDeniedException"
        opened.append(session)
        return session

    source = AwsSource(account, Wanted(), clock=clock, budget=Budget(clock, rate=1, most=1))
    following = AwsFollowing(source, clock.now_ms(), session=refused)
    found = take(following, 600)
    assert len(found) == sum(map(len, account.events.values()))
    assert "Live Tail ended, polling goes on: AccessDeniedException" in following.notes()
    assert all(session.closed for session in opened)


def test_a_pattern_and_a_request_choose() -> None:
    """On AWS the pattern is asked for there and here; of a request also the lines that don't name it come."""
    account = Account(ManualClock())
    written(account, "g", 1, 1, 1)
    assert [line.message for line in take(follow(account, Wanted(pattern=parse('"g 1"'))), 9)] == ["g 1"]
    account = Account(ManualClock())
    written(account, "g", 1, 1, 1)
    # No START follows, so what comes after the line that names it is the request's.
    assert [line.message for line in take(follow(account, Wanted(request="g 1")), 9)] == ["g 1", "g 2"]


def test_waking_ends_a_poll() -> None:
    """A poll in another thread returns with what it has; nothing stays behind."""
    account = Account(ManualClock())
    following = follow(account)
    following.wake()
    assert following.poll(1000) == []
    assert account.clock.monotonic() < 1


def test_a_budget_grows_until_it_is_refused() -> None:
    """Calls a second grow with what is granted, halve when AWS refuses, and then stay below what was refused."""
    clock = ManualClock()
    budget = Budget(clock)
    assert budget.rate == FIRST_RATE
    for _ in range(2000):
        budget.granted()
    assert budget.rate == MOST_RATE
    budget.refuse()
    assert (budget.rate, budget.refused) == (MOST_RATE / 2, 1)
    assert budget.delay() == pytest.approx(0.2)
    for _ in range(2000):
        budget.granted()
    assert budget.rate == pytest.approx(MOST_RATE * 0.8)
    clock.advance(601)
    for _ in range(2000):
        budget.granted()
    assert budget.rate == MOST_RATE


def test_a_budget_waits_out_refusals_and_gives_up_in_the_end() -> None:
    """A call is made again while it is refused for its rate; any other error, or too many refusals, is raised."""
    clock = ManualClock()
    answers: list[Any] = [refusal("ThrottlingException", "X"), refusal("Throttling", "X"), "fine"]

    def operation() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert Budget(clock).call(operation) == "fine"
    answers[:] = [refusal("ThrottlingException", "X") for _ in range(9)]
    with pytest.raises(ClientError):
        Budget(clock).call(operation)
    answers[:] = [refusal("ValidationException", "X")]
    with pytest.raises(ClientError, match="Validation"):
        Budget(clock).call(operation)
