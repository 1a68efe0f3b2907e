"""Threads of which one leads: it waits for all descriptors, does the work that comes, and hands the lead on before it waits.

One interpreter lets one thread run at a time. Threads that each wait for a connection of their own wake up together and take
the interpreter from each other at every system call; here one wakes up, and goes on with what is next while its caches are
warm ("leader/followers", Schmidt et al.). Who waits in the midst of work, for a function's answer say, leads on meanwhile; what
comes for another has another thread take the lead. Who waits or computes long without saying so loses the lead within
milliseconds, so that nobody is held up, and does the rest beside it.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lambdalog.readiness import readiness
from lambdalog.waiting import hosted

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

# A leader that has been busy with one thing for longer than this, and at most twice as long, leads no more.
LONG_SECONDS: Final = 0.005
# After so many looks at nobody busy, whoever looks sleeps until somebody is.
_LOOKS: Final = 200
# Who waits alone in the midst of work looks for so long before it sleeps: a short function has answered by then, and to wake
# up takes a tenth of such an invocation. Where there is one processor, who is waited for needs it.
_SPIN_SECONDS: Final = 0.0003 if (os.cpu_count() or 1) > 1 else 0.0
# More threads than this aren't kept for later.
IDLE_MAX: Final = 16


class _Member(threading.Thread):
    """A thread; `go` is free when it is to lead. `alone`: nobody else was found since it did the same for the last time."""

    def __init__(self, followers: Followers) -> None:
        super().__init__(daemon=True, name="lambdalog-connection")
        self.followers = followers
        self.go = threading.Lock()
        self.go.acquire()
        self.alone = False

    def run(self) -> None:
        hosted(self)
        self.followers.work(self)

    def readable(self, descriptor: int, seconds: float) -> bool:
        return self.followers.readable(self, descriptor, seconds)

    def aside(self) -> None:
        self.followers.aside(self)


class Followers:
    """Calls what is `watch`ed when it can be read. `left()` is how many seconds there are until `tend()` is to be called."""

    def __init__(self, left: Callable[[], float], tend: Callable[[], object]) -> None:
        self._left = left
        self._tend = tend
        self._watched = readiness()
        self._calls: dict[int, Callable[[], object]] = {}
        # What members wait for in the midst of work is asked for first, so that what was begun is ended before more is.
        self._awaited = readiness()
        self._waiting: dict[int, _Member] = {}
        self._answered: deque[int] = deque()
        self._begun_one = False
        self._watched.watch(self._awaited.fileno())
        self._guard = threading.Lock()
        self._leader: _Member | None = None
        # Whether the leader does work, which it may lose the lead in; and how often it has begun some.
        self._busy = False
        self._begun = 0
        self._found: deque[Callable[[], object]] = deque()
        self._idle: list[_Member] = []
        self._ended = self._closed = False
        self._short = False
        self._last: Callable[[], object] | None = None
        self._woken = threading.Event()
        self._asleep = False
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="lambdalog-lead")
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)
        self.watch(self._bell.fileno(), self._hear)

    def start(self) -> None:
        """Begin. RuntimeError if there can be no threads."""
        self._watcher.start()
        with self._guard:
            if not self._promote():
                raise RuntimeError("there is no thread that could lead")

    def watch(self, descriptor: int, call: Callable[[], object]) -> None:
        """Have `call` called, by a thread of these, whenever the descriptor can be read."""
        with self._guard:
            if not self._closed:
                self._calls[descriptor] = call
                self._watched.watch(descriptor)

    def leave(self, descriptor: int) -> None:
        """Watch it no more; to be said before it is closed."""
        with self._guard:
            if not self._closed:
                del self._calls[descriptor]
                self._watched.leave(descriptor)

    def ring(self) -> None:
        """Have the leader ask anew how long it may wait."""
        with self._guard:
            if not self._closed:
                with suppress(BlockingIOError):  # it has been rung often, and is heard for that
                    self._rope.send(b"!")

    def end(self) -> None:
        """Lead no more. Who is in the midst of work does it to its end."""
        self._ended = True
        self._woken.set()
        self.ring()
        with self._guard:
            for member in self._idle:
                member.go.release()
            self._idle.clear()
            if self._leader is None:
                self._close()

    # --- what members do

    def work(self, me: _Member) -> None:
        """A thread's life."""
        while self._pause(me) or self._rest(me):
            found = self._next(None)
            if isinstance(found, _Member):
                self._hand_over(me, found)
                continue
            if self._ended:
                with self._guard:
                    self._close()
                return
            me.alone, self._last = found is self._last, found
            self._resume()
            try:
                if found is not None:
                    found()
                elif self._left() <= 0:
                    self._tend()
            except Exception:
                logger.exception("a connection failed")

    def readable(self, me: _Member, descriptor: int, seconds: float) -> bool:
        """Wait for a descriptor in the midst of work, and lead meanwhile. False if `me` has to wait by itself.

        That is quicker, and so who is alone does it, once, if a moment isn't enough: the lead is lost if it takes long.
        """
        if me.alone:
            me.alone = False
            return _looked(descriptor)
        until = time.monotonic() + seconds
        with self._guard:
            if self._ended:
                return False
            self._waiting[descriptor] = me
            self._awaited.once(descriptor)
            leads = self._leader is me
            if leads:
                self._busy = False
        if leads:
            found = self._next(seconds)
            if found is not me and not (found is None and self._left() > 0) and self._let(found):
                leads = False
            else:
                self._give_up(me, descriptor)
                self._resume()
                return found is me or found is None
        if not me.go.acquire(timeout=max(until - time.monotonic(), 0.0)):
            if self._give_up(me, descriptor):
                return True
            me.go.acquire()  # it is given the lead just now
        self._resume()
        return True

    def aside(self, me: _Member) -> None:
        """Let another one lead; `me` goes on beside it."""
        if self._pause(me):
            with self._guard:
                led = self._promote()
            if not led:
                self._resume()

    # --- the lead: only who has it, and isn't busy, may hand it on

    def _pause(self, me: _Member) -> bool:
        """Whether `me` leads; then it can't lose the lead until it resumes work."""
        with self._guard:
            if self._leader is not me:
                return False
            self._busy = False
            return True

    def _resume(self) -> None:
        self._begun += 1
        self._busy = True
        if self._asleep:
            self._woken.set()

    def _rest(self, me: _Member) -> bool:
        """Wait to lead; False if there are enough who do, or at the end."""
        with self._guard:
            if self._ended or len(self._idle) >= IDLE_MAX:
                return False
            self._idle.append(me)
        me.go.acquire()
        return not self._ended

    def _next(self, seconds: float | None) -> _Member | Callable[[], object] | None:
        """Who need wait no more, or what is to be called, as soon as there is something; None now and then, and after so long."""
        ready: list[tuple[int, int]] = []
        if not self._found and not self._answered:
            least = max(self._left(), 0.0)
            ready = self._watched.ready(least if seconds is None else min(seconds, least))
            self._found.extend(call for fd, _ in ready if (call := self._calls.get(fd)) is not None)
        if seconds is None and self._found and not self._begun_one:
            # Free hands begin one more before they hand over to whoever need wait no more: fewer changes of threads.
            self._begun_one = True
            return self._found.popleft()
        self._begun_one = False
        # What can be read alone is what is awaited: whoever gave up waiting for it isn't told, but it has to be taken.
        if (self._waiting and (ready or self._found)) or (ready and not self._found):
            self._answered.extend(descriptor for descriptor, _ in self._awaited.ready(0))
        while self._answered:
            with self._guard:  # it may have waited too long by now
                member = self._waiting.pop(self._answered.popleft(), None)
            if member is not None:
                return member
        return self._found.popleft() if self._found else None

    def _give_up(self, me: _Member, descriptor: int) -> bool:
        """Wait for it no more; False if that has ended already."""
        with self._guard:
            if self._waiting.get(descriptor) is not me:
                return False
            del self._waiting[descriptor]
            return True

    def _let(self, found: _Member | Callable[[], object] | None) -> bool:
        """Have another thread lead, and do what was found; False if there is none."""
        with self._guard:
            if isinstance(found, _Member):
                self._lead(found)
                return True
            if found is not None:
                self._found.appendleft(found)
            return self._promote()

    def _hand_over(self, me: _Member, other: _Member) -> None:
        """Have one who has waited lead, and rest."""
        with self._guard:
            self._lead(other)
            if self._ended:
                return
            self._idle.append(me)
        me.go.acquire()

    def _lead(self, member: _Member) -> None:
        self._leader = member
        member.go.release()

    def _promote(self) -> bool:
        """Have somebody lead; False if there is nobody. Under the guard."""
        if self._idle:
            self._lead(self._idle.pop())
            return True
        before, member = self._leader, _Member(self)
        self._leader = member
        try:
            member.start()
        except RuntimeError as error:
            if not self._short:
                logger.warning("there is no thread for what waits: %s", error)
            self._leader = before
        self._short = self._leader is before
        return not self._short

    # --- who watches the leader

    def _watch(self) -> None:
        seen, looks = -1, 0
        while not self._ended:
            time.sleep(LONG_SECONDS)
            with self._guard:
                if not self._busy:
                    looks += 1
                elif self._begun != seen:
                    seen, looks = self._begun, 0
                else:
                    self._busy = False
                    self._busy = not self._promote()
                    continue
            if looks > _LOOKS:
                self._sleep()
                looks = 0

    def _sleep(self) -> None:
        """Until somebody is busy again."""
        self._woken.clear()
        self._asleep = True
        if not self._busy and not self._ended:
            self._woken.wait()
        self._asleep = False

    def _hear(self) -> None:
        self._bell.recv(64)

    def _close(self) -> None:
        self._closed = True
        self._watched.close()
        self._awaited.close()
        self._bell.close()
        self._rope.close()


def _looked(descriptor: int) -> bool:
    """Whether there is something to read within a moment, in which nobody sleeps."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    until = time.perf_counter() + _SPIN_SECONDS
    while not (found := poll.poll(0)) and time.perf_counter() < until:
        pass
    return bool(found)
