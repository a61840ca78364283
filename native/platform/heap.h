// The heap of this process, which belongs to the C library.
#ifndef HOLDFAST_PLATFORM_HEAP_H
#define HOLDFAST_PLATFORM_HEAP_H

#include <cstddef>

namespace holdfast::platform {

// Called before a block is taken that the garbage collector will free. It frees many blocks at
// once, the C library may then return their memory to the system, and the next blocks cost a page
// fault for each of their pages. After many large blocks the heap keeps what they need.
void foresee_large_block(size_t bytes);

}  // namespace holdfast::platform

#endif
