"""The other side of the test with Python.

shared_array.py <posix name> <offset> <count>   adds 1 to each of so many int32, and prints them
"""

import struct
import sys
from multiprocessing.shared_memory import SharedMemory

name, offset, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
memory = SharedMemory(name)
elements = struct.unpack_from(f"<{count}i", memory.buf, offset)
print(*elements, flush=True)
struct.pack_into(f"<{count}i", memory.buf, offset, *(element + 1 for element in elements))
memory.close()
