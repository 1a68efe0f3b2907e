from lambdalog import get_logger, handler

log = get_logger("orders", team="checkout")  # in every line of this logger
payments = log.child("payments")  # its lines say "logger": "orders.payments"


@handler
def process(event, context):
    log.bind_invocation(order_id=event["id"])  # in every line of this invocation, whoever logs it
    for number, item in enumerate(event["items"]):
        with log.block(item=number):  # in every line of the block; afterwards what it shadowed is back
            log.info("reserved", sku=item)
    payments.bind(method="card").info("charged")  # in the lines of the logger that bind() gives
