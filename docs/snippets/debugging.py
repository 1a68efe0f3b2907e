from lambdalog import get_logger, handler

log = get_logger(level="INFO", location=True)


@handler(sample=0.01, debug_ring=100)
def process(event, context):
    log.debug("priced", total=event["total"])  # written if this invocation is sampled, or fails
    if event["total"] < 0:
        raise ValueError("a total can't be negative")
