from lambdalog import get_logger, handler

log = get_logger()


@handler(correlation="auto")  # the usual places: a correlation header, the gateway's request id, …
def from_the_web(event, context):
    log.info("asked")


@handler(correlation="detail.order['x-id']")  # a path into the event
def from_the_bus(event, context):
    log.info("told")
