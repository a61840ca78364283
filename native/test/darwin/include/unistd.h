// macOS' <unistd.h>: what Linux' has, and the name of the user's directory for confstr(3).
#include_next <unistd.h>
#ifndef HOLDFAST_TEST_DARWIN_UNISTD_H
#define HOLDFAST_TEST_DARWIN_UNISTD_H
#define _CS_DARWIN_USER_DIR 65536
#endif
