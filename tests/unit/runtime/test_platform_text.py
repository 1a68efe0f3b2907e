"""Lambda's own lines."""

from __future__ import annotations

from lambdalog.runtime import platform_text


def test_a_report_is_lambdas() -> None:
    """Tabs, units and the order of the parts are those of a recorded line."""
    assert platform_text.report(
        platform_text.Report(
            "id", duration_ms=3.009, billed_ms=114, memory_mb=128, max_memory_mb=36, init_ms=110.1
        )
    ) == (
        "REPORT RequestId: id\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
    )
    assert platform_text.report(
        platform_text.Report(
            "id",
            duration_ms=1,
            billed_ms=1,
            memory_mb=128,
            max_memory_mb=1,
            status="error",
            error_type="Runtime.ExitError",
        )
    ).endswith("Max Memory Used: 1 MB\tStatus: error\tError Type: Runtime.ExitError\t\n")


def test_the_init_phase_is_billed() -> None:
    """Billed is the duration with the init phase, rounded up to a whole ms."""
    assert platform_text.billed(3.01, 110.1) == 114
    assert platform_text.billed(3.0, None) == 3


def test_a_timeout_is_lambdas() -> None:
    """The line of a timeout has the time in UTC, the request and the seconds."""
    assert platform_text.timed_out(1_700_000_000.25, "id", "Task timed out after 3.00 seconds") == (
        "2023-11-14T22:13:20.250Z id Task timed out after 3.00 seconds\n\n"
    )
