// A stand-in for macOS on Linux: native/platform/darwin runs on it, and meets the rules of XNU, and
// of libuv on macOS, as their sources state them. No Mac can be had for tests.
//
// include/ declares what only macOS has, and the files here define it. What both systems have and
// Linux does otherwise is wrapped: the linker replaces each call of f() by a call of __wrap_f(),
// and __real_f() is Linux' own. scripts/sources.mjs finds the wrapped names in these files.
#ifndef HOLDFAST_TEST_DARWIN_STAND_IN_H
#define HOLDFAST_TEST_DARWIN_STAND_IN_H

#include <sys/types.h>

namespace holdfast::test::darwin {

constexpr int kDescriptorsMax = 1 << 16;  // above these the stand-in remembers nothing

// Is it a FIFO that has a name? fifofs' rules are for these alone.
bool is_named_fifo(int fd);

// A descriptor is closed: what is remembered of it is forgotten.
void forget_queue(int fd);
void forget_file(int fd);

}  // namespace holdfast::test::darwin

#endif
