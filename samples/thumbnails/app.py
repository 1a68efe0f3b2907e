"""Thumbnails: an image is put into a bucket, and its thumbnail's size is worked out.

Event: S3's ObjectCreated:Put notification.
"""

import time
from urllib.parse import unquote_plus

import lambdalog

log = lambdalog.get_logger()

FORMATS = {"jpg", "jpeg", "png", "webp"}


class UnsupportedImage(Exception):
    """The object is no image that a thumbnail can be made of."""


@lambdalog.handler
def handler(event, context):
    """Make a thumbnail of each object in the event; returns their keys."""
    made = []
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        # S3 quotes keys as HTML forms do.
        key = unquote_plus(record["s3"]["object"]["key"])
        size = record["s3"]["object"].get("size", 0)
        log.info("object put", bucket=bucket, key=key, bytes=size)
        suffix = key.rpartition(".")[2].lower()
        if suffix not in FORMATS:
            raise UnsupportedImage(f"s3://{bucket}/{key} is no image")
        time.sleep(min(size, 4_000_000) / 100_000_000)  # decoding takes its time
        thumbnail = f"thumbnails/{key.rpartition('/')[2].rpartition('.')[0]}.webp"
        log.debug("thumbnail made", source=key, thumbnail=thumbnail)
        made.append(thumbnail)
    return {"made": made}
