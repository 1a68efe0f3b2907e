import logging

import lambdalog
from lambdalog.shipper import CloudWatchLogHandler  # was: from watchtower import CloudWatchLogHandler

cloud = lambdalog.connect()
log = logging.getLogger("app")
log.setLevel(logging.INFO)
log.addHandler(
    CloudWatchLogHandler(
        log_group_name="app",
        log_stream_name="{logger_name}/{strftime:%Y-%m-%d}",
        send_interval=5,
        boto3_client=cloud.logs,  # without it: boto3's own
        spool=".lambdalog/spool/app",  # new: what can't be delivered waits here
    )
)
log.info("charged %s", "o-1")
log.info({"order": "o-2", "ms": 3})
logging.shutdown()
