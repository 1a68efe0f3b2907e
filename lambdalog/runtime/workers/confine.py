"""Shuts an environment in: without a network, and with files that it can't change. Linux, by namespaces alone.

`network`: nothing but a loopback of its own, in which its Runtime API listens. `files`: everything read-only but /tmp,
which is new and as large as the function's ephemeral storage; the store is out of sight; layers stand in /opt.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_NOSUID = 2
MS_NODEV = 4
SYS_MOUNT_SETATTR = 442
AT_FDCWD = -100
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 1
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

_libc = ctypes.CDLL(None, use_errno=True)


def shut_in(order: dict[str, Any]) -> socket.socket | None:
    """Shut this process and all it will start in; the listening socket inside, where there is a network of its own.

    OSError, with what the system refuses.
    """
    network, files = "network" in order["confine"], "files" in order["confine"]
    user, group = os.getuid(), os.getgid()
    flags = (CLONE_NEWNET if network else 0) | (CLONE_NEWNS if files else 0)
    _check(_libc.unshare(flags | (CLONE_NEWUSER if user else 0)), "new namespaces")
    if user:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    if files:
        _shut_files(order)
    return _loopback() if network else None


def _shut_files(order: dict[str, Any]) -> None:
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    if len(order["layers"]) == 1 and Path("/opt").is_dir():
        _mount(order["layers"][0], "/opt", None, MS_BIND | MS_REC)
    # What lies below a folder that is covered now is kept in sight by a mount of its own.
    seen = [path for path in (order["folder"], *order["layers"]) if Path(path).exists()]
    handles = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in seen]
    for hidden in order["hidden"]:
        if Path(hidden).is_dir():
            _mount("none", hidden, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k")
    _mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, f"size={order['storage']}m,mode=1777")  # noqa: S108
    for path, handle in zip(seen, handles, strict=True):
        if not Path(path).exists():
            Path(path).mkdir(parents=True)
            _mount(f"/proc/self/fd/{handle}", path, None, MS_BIND | MS_REC)
        os.close(handle)
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    _check(
        _libc.syscall(
            SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, ctypes.c_size_t(len(attributes))
        ),
        "files that can't be changed",
    )
    writable = struct.pack("QQQQ", 0, MOUNT_ATTR_RDONLY, 0, 0)
    for path in ("/tmp", "/dev"):  # noqa: S108
        result = _libc.syscall(
            SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), 0, writable, ctypes.c_size_t(len(writable))
        )
        if path == "/tmp":  # noqa: S108 - devices are better than none, and not always a mount of their own
            _check(result, "a /tmp to write to")


def _loopback() -> socket.socket:
    """Bring the new namespace's loopback up, and listen in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    return socket.create_server(("127.0.0.1", 9001), backlog=16)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    result = _libc.mount(
        None if source is None else source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"a mount at {target}")


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"the system refuses {what}: {os.strerror(number)}")
