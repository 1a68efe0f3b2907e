"""Stacks of all runtimes become frames, innermost last."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.failure import FRAMES_MAX
from lambdalog.reported import frames_of, from_lambda_error, from_text

PYTHON = ['  File "/var/task/a.py", line 5, in go\n    x()\n', '  File "/var/task/a.py", line 9, in x\n']
NODE = [
    "TypeError: x",
    "    at x (/var/task/i.js:9:3)",
    "    at async /var/task/i.js:5:1",
    "    at node:internal/y:1:1",
]
JAVA = [
    "com.shop.Pay.x(Pay.java:9)",
    "com.shop.Pay.go(Pay.java:5)",
    "java.lang.reflect.Method.invoke(Unknown Source)",
]
RUBY = ["/var/task/a.rb:9:in `x'", "/var/task/a.rb:5:in 'go'"]
DOTNET = "   at Shop.Pay.X(String a) in /src/Pay.cs:line 9\n   at Shop.Pay.Go() in /src/Pay.cs:line 5\n"
GO = [{"path": "pay/main.go", "line": 9, "label": "x"}, {"path": "pay/main.go", "line": 5, "label": "go"}]


@pytest.mark.parametrize(
    ("stack", "file", "last", "first"),
    [
        (PYTHON, "/var/task/a.py", "x", "go"),
        ("".join(PYTHON).replace("\n", "\r"), "/var/task/a.py", "x", "go"),
        (NODE[:3], "/var/task/i.js", "x", "<anonymous>"),
        (JAVA, "com/shop/Pay.java", "x", "go"),
        (RUBY, "/var/task/a.rb", "x", "go"),
        (DOTNET, "/src/Pay.cs", "Shop.Pay.X(String a)", "Shop.Pay.Go()"),
        (GO, "pay/main.go", "x", "go"),
    ],
)
def test_each_runtimes_stack_is_read(stack: Any, file: str, last: str, first: str) -> None:
    """Lines 5 and 9, called from 5."""
    frames = frames_of(stack)
    assert [(frame.file, frame.line) for frame in frames] == [(file, 5), (file, 9)]
    assert (frames[0].function, frames[-1].function) == (first, last)


@pytest.mark.parametrize("stack", [None, "", [], ["nothing"], 3, [None, 5], [{"path": 1}], [[["x"]]]])
def test_what_is_no_stack_has_no_frames(stack: Any) -> None:
    """Anything can stand in a payload; nothing is raised."""
    assert len(frames_of(stack)) <= 1


def test_a_long_stack_is_bounded() -> None:
    """However long somebody made it."""
    assert len(frames_of(["    at x (/a.js:1:1)"] * 10_000)) == FRAMES_MAX


@pytest.mark.parametrize("line", [" " * 100_000, "at " + ") in " * 30_000, "x.rb:1:in `" * 15_000])
def test_no_line_takes_long(line: str) -> None:
    """What only begins like a stack's line is passed over, however long it is; what stands beside it is read."""
    frames = frames_of([line, RUBY[0]])
    assert [frame.function for frame in frames] == ["x"]


def test_how_lambda_came_to_the_code_is_left_out_of_a_stack() -> None:
    """The runtime's frames and the decorator's are shown only where there are no others; the user's libraries stay."""
    ours = '  File "/opt/python/lambdalog/instrument/decorator.py", line 1, in wrapped\n    return call()\n'
    theirs = '  File "/x/site-packages/requests/api.py", line 2, in get\n    return request()\n'
    own = '  File "/var/task/app.py", line 3, in process\n    raise E()\n'
    assert [frame.file for frame in frames_of([ours, own, theirs])] == [
        "/var/task/app.py",
        "/x/site-packages/requests/api.py",
    ]
    assert [frame.function for frame in frames_of([ours])] == ["wrapped"]


def test_libraries_do_not_count_for_a_fingerprint() -> None:
    """The same place in the function's code is the same failure, whatever the runtime did before it."""
    one = from_lambda_error({"errorType": "T", "errorMessage": "m", "stack": NODE})
    other = from_lambda_error({"errorType": "T", "errorMessage": "n", "trace": NODE[:3]})
    assert one.fingerprint == other.fingerprint
    nested = from_lambda_error(
        {"errorType": "T", "errorMessage": "", "stackTrace": JAVA, "cause": {"errorType": "C"}}
    )
    assert nested.causes[0].type == "C"


def test_a_line_of_a_log_tells_a_failure_or_none() -> None:
    """Python's and Node.js's own words in the text format."""
    found = from_text("[ERROR] KeyError: 'k'\nTraceback (most recent call last):\n" + "".join(PYTHON))
    assert found is not None
    assert (found.type, found.message, found.frames[-1].function) == ("KeyError", "'k'", "x")
    node = from_text('t\tr\tERROR\tInvoke Error \t{"errorType":"E","errorMessage":"m"}')
    assert node is not None
    assert node.type == "E"
    for text in ("", "[ERROR] two words: x", "[ERROR]\ttime\tid\tlogged", "t\tr\tERROR\tInvoke Error \t{"):
        assert from_text(text) is None
