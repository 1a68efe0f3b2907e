import lambdalog
from lambdalog import handler
from lambdalog.shipper import Shipper

cloud = lambdalog.connect()
audit = Shipper(cloud.logs, group="audit", stream="orders", interval=5)


@handler(flush=1.5)  # before it answers, for at most 1.5 s, and half of the time that is left
def process(event, context):
    audit.put(f"{event['id']} charged")
    return "charged"
