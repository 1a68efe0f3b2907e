from lambdalog import get_logger, handler

log = get_logger()


@handler
def process(event, context):
    log.info("charging", order_id=event["id"], amount=12.5)
    return {"charged": event["id"]}
