"""Orders: what sits behind an HTTP API, a queue or a topic. Validates an order, prices it, and says what it did.

Events: an API Gateway proxy event (the order is its JSON body), messages of SQS or SNS with an order each, or the
order itself.
"""

import json
import time
from decimal import Decimal

import lambdalog

log = lambdalog.get_logger()

PRICES = {"espresso": Decimal("2.40"), "flat-white": Decimal("3.60"), "croissant": Decimal("2.90")}


class InvalidOrder(Exception):
    """The order can't be taken as it is."""


@lambdalog.handler
def handler(event, context):
    """Take the event's orders; answers 201 with an order's total, or raises InvalidOrder."""
    if "Records" not in event:
        return take(json.loads(event["body"]) if "body" in event else event)
    for record in event["Records"]:
        take(json.loads(record["body"] if "body" in record else record["Sns"]["Message"]))
    return {"taken": len(event["Records"])}


def take(order):
    """Price one order."""
    order_id = order.get("id", "unknown")
    items = order.get("items")
    log.info("order received", order_id=order_id, items=len(items or ()))
    if not items:
        raise InvalidOrder(f"order {order_id} has no items")
    total = Decimal(0)
    for item in items:
        price = PRICES.get(item["sku"])
        if price is None:
            log.warning("unknown product", order_id=order_id, sku=item["sku"])
            raise InvalidOrder(f"order {order_id}: no such product {item['sku']!r}")
        total += price * item["quantity"]
        time.sleep(0.002)  # the price service
    log.info("order priced", order_id=order_id, total=total)
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"id": order_id, "total": str(total)}),
    }
