"""Queue URLs, in and out."""

from __future__ import annotations

from lambdalog.server.queue_urls import inward, outward

OWN = "https://sqs.us-east-1.amazonaws.com"
HERE = "http://127.0.0.1:4566"


def test_there_and_back() -> None:
    """Clients see the endpoint's address, the double its own, whichever of the two was sent."""
    assert outward({"QueueUrl": f"{OWN}/0/q"}, HERE) == {"QueueUrl": f"{HERE}/0/q"}
    assert outward({"QueueUrls": [f"{OWN}/0/q"]}, HERE) == {"QueueUrls": [f"{HERE}/0/q"]}
    assert inward({"QueueUrl": f"{HERE}/0/q", "x": 1}, OWN) == {"QueueUrl": f"{OWN}/0/q", "x": 1}
    assert inward({"QueueUrl": f"{OWN}/0/q"}, OWN) == {"QueueUrl": f"{OWN}/0/q"}


def test_what_is_no_url_stays() -> None:
    """The service says what is wrong with it."""
    for text in ("", "q", "http://[", "ftp://x/y"):
        assert inward({"QueueUrl": text}, OWN) == {"QueueUrl": text}
    assert inward({"QueueUrl": 3}, OWN) == {"QueueUrl": 3}
