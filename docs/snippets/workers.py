import os

import lambdalog
from lambdalog.shipper import Shipper

cloud = lambdalog.connect()
# Given as a function: a child makes its own.
shipper = Shipper(lambda: cloud.logs, group="app", stream=f"worker-{os.getpid()}")
child = os.fork()
shipper.put("here I am", stream=f"worker-{os.getpid()}")
if child == 0:
    shipper.close()  # os._exit() runs nothing of ours
    os._exit(0)
os.waitpid(child, 0)
shipper.close()
