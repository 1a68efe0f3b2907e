"""Flaky payments: every way in which a function fails, each on demand by its event's "fail" key.

raise, declined, outage (only while GATEWAY=down), timeout, exit, memory, hostile, slow; without the key it succeeds.
Throttled is who comes when three payments are under way: lambdalog.toml reserves no more, and "slow" takes its time.
"""

import os
import sys
import time

import lambdalog

log = lambdalog.get_logger()


class CardDeclined(Exception):
    """The bank said no."""


class GatewayError(Exception):
    """The payment gateway gave no usable answer."""


def _ask_gateway(payment, amount):
    try:
        raise ConnectionResetError("gateway closed the connection")
    except ConnectionResetError as error:
        raise GatewayError(f"payment {payment} of {amount} got no answer") from error


def _grow():
    """Take memory until the function's limit is reached."""
    hoard = []
    while True:
        hoard.append(bytearray(8_000_000))
        time.sleep(0.005)  # the watcher looks every 5 ms; a machine without limits would go on for ever


@lambdalog.handler
def handler(event, context):
    """Take one payment, or fail as the event says."""
    payment, amount = event["payment"], event["amount"]
    log.info("charging", payment=payment, amount=amount)
    match event.get("fail"):
        case None:
            time.sleep(0.005)
        case "slow":
            time.sleep(0.4)
            log.warning("the gateway is slow", payment=payment, seconds=0.4)
        case "raise":
            _ask_gateway(payment, amount)
        case "outage":
            if os.environ.get("GATEWAY") == "down":
                raise GatewayError(f"payment {payment}: the gateway is down")
        case "declined":
            raise CardDeclined(f"card of payment {payment} declined")
        case "timeout":
            log.info("waiting for the gateway", payment=payment)
            time.sleep(60)
        case "exit":
            print("the gateway's library gives up")
            sys.stdout.flush()
            os._exit(3)
        case "memory":
            _grow()
        case "hostile":
            # What a customer typed into the "name" field: a terminal must never obey it.
            log.warning("odd name \x1b[2J\x1b]0;owned\x07\u202egnp.exe", payment=payment)
            print("\x1b[31mred\x1b[0m \x00 \x9b5m plain print")
            sys.stdout.flush()
            os.write(1, b"invalid \xff\xfe bytes\n")
        case unknown:
            raise ValueError(f"no such failure: {unknown}")
    log.info("charged", payment=payment)
    return {"payment": payment, "status": "charged"}
