from lambdalog import handler


class InvalidOrder(Exception):
    """Never right, however often it is tried."""


@handler(permanent=InvalidOrder, dead_letter="orders-dlq")
def process(event, context):
    if not event["items"]:
        raise InvalidOrder("an order has items")
    return "taken"
