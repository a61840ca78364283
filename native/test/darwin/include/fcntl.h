// macOS' <fcntl.h>: what Linux' has, and a command of fcntl(2).
#include_next <fcntl.h>
#ifndef HOLDFAST_TEST_DARWIN_FCNTL_H
#define HOLDFAST_TEST_DARWIN_FCNTL_H
#define F_SETNOSIGPIPE 73
#endif
