from lambdalog import get_logger, handler

log = get_logger()


@handler.batch(workers=4)
def process(record):
    log.info("handling", body=record["body"])  # the line has the record's id as well
    if record["body"] == "bad":
        raise ValueError("no order")
