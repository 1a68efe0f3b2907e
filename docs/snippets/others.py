import logging

import structlog

from lambdalog import get_logger, handler

ours = get_logger()
structured = structlog.get_logger()
standard = logging.getLogger("boto3.session")


@handler
def process(event, context):
    ours.info("one")
    structured.info("two", by="structlog")
    standard.warning("%s", "three", extra={"by": "logging"})
