import time

import lambdalog
from lambdalog.shipper import Shipper

minute_ago = int(time.time() * 1000) - 60_000
with (
    lambdalog.connect() as cloud,
    Shipper(cloud.logs, group="app", stream="worker-1", retention_days=30) as shipper,
):
    shipper.put("started")
    shipper.put('{"level": "INFO", "message": "charged"}', minute_ago, stream="payments")
    shipper.flush(timeout=30)
    print(shipper.ledger)  # 2 accepted, 2 delivered
