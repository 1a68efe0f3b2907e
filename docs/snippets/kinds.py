import asyncio

from lambdalog import get_logger, handler

log = get_logger()


@handler
async def asynchronous(event, context):
    await asyncio.sleep(0)
    log.info("awaited")
    return event["id"]


@handler
def streaming(event, context):
    for number in range(3):
        log.info("part", number=number)
        yield number


@handler
class Orders:
    def __init__(self, currency):
        self.currency = currency

    def __call__(self, event, context):
        log.info("charging", currency=self.currency)
        return self.currency


orders = Orders("EUR")
