from lambdalog import get_logger, handler
from lambdalog.instrument.scrub import Scrubber

scrubber = Scrubber(
    keys=["tax number"],  # tax_number, taxNumber, TAX-NUMBER
    values={"customer": r"\bC-\d{6}\b"},
    keep=["pin"],  # of a board, say
)
log = get_logger(processors=[scrubber])  # scrubs each line as well


@handler(scrub=scrubber)
def process(event, context):
    log.info("looking up", tax_number=event["tax_number"], pin=7)
    raise LookupError(f"nothing is known of {event['customer']}")
