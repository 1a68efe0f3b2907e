"""Nightly report: adds up the day before the schedule's time.

Event: EventBridge's Scheduled Event. Plain print() and logging, to show that they are caught as well.
"""

import logging
from datetime import datetime, timedelta

import lambdalog

logger = logging.getLogger("report")
logger.setLevel(logging.INFO)


@lambdalog.handler
def handler(event, context):
    """Write the report of the day before; returns its name and total."""
    day = datetime.fromisoformat(event["time"]).date() - timedelta(days=1)
    print(f"report for {day}:")
    total = 0
    for hour in range(24):
        orders = (day.toordinal() * 31 + hour * 17) % 40
        total += orders
        if hour % 6 == 5:
            logger.info("%s orders up to %02d:59", total, hour)
    print(f"{total} orders in all")
    return {"report": f"{day:%Y-%m-%d}.csv", "orders": total}
