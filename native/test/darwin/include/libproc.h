// Of macOS' <libproc.h>, what holdfast asks of a semaphore.
#ifndef HOLDFAST_TEST_DARWIN_LIBPROC_H
#define HOLDFAST_TEST_DARWIN_LIBPROC_H
#include <sys/types.h>

#define PROC_PIDFDPSEMINFO 4

struct vinfo_stat {
  uid_t vst_uid;
};
struct psem_info {
  struct vinfo_stat psem_stat;
};
struct psem_fdinfo {
  struct psem_info pseminfo;
};

#ifdef __cplusplus
extern "C"
#endif
    int
    proc_pidfdinfo(int pid, int fd, int flavor, void* into, int size);
#endif
