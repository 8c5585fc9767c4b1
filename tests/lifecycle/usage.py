# SPDX-License-Identifier: Apache-2.0
"""Owns what the tests count to see that nothing is left: threads, descriptors and memory of this
process, from /proc.
"""

from __future__ import annotations

import ctypes
import gc
import os

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def thread_count() -> int:
    return len(os.listdir("/proc/self/task"))


def descriptor_count() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    """Memory of our own: resident without shared file pages, and without what the collector and
    the allocator keep for later.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        _, resident, shared = file.read().split()[:3]
    return (int(resident) - int(shared)) * PAGE_BYTES
