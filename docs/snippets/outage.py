import time

import lambdalog
from lambdalog.errors import ShipError
from lambdalog.shipper import Shipper


class Down:
    """A destination that nobody reaches."""

    def put_log_events(self, **_):
        raise ConnectionError("no route to host")


shipper = Shipper(Down(), group="app", stream="s", spool=".lambdalog/spool", patience=5)
shipper.put("while it is down")
try:
    shipper.flush(timeout=0.2)
except ShipError as error:  # only if the spool doesn't take it either
    print(error)
print(shipper.ledger)  # 1 accepted, 0 delivered, 1 spooled
shipper.close()

with lambdalog.connect() as cloud, Shipper(cloud.logs, spool=".lambdalog/spool", threaded=False) as later:
    while (seconds := later.turn()) is not None:  # a thread does this by itself
        time.sleep(seconds)
    print(later.ledger.recovered)
