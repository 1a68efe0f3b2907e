"""What runs in other processes: started by path, never imported here, and standard library only.

`zygote.py` waits for orders and forks; `keeper.py` owns one environment's processes and leaves none of them behind;
`confine.py` shuts an environment in; `node_worker.mjs` is a runtime client of our own, `transport.py` the part of AWS's for
Python that speaks to the Runtime API.
"""
