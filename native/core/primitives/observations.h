// KindOps::observe of each kind. They read a file that agents may be changing, and believe nothing
// in it: a wrong word gives a wrong number, and never a wrong address.
#ifndef HOLDFAST_CORE_PRIMITIVES_OBSERVATIONS_H
#define HOLDFAST_CORE_PRIMITIVES_OBSERVATIONS_H

#include "core/store/kind_ops.h"

namespace holdfast::core {

void observe_owned(const ObservedFile& file, Observation* seen);  // Lock and RLock
void observe_semaphore(const ObservedFile& file, Observation* seen);
void observe_bounded(const ObservedFile& file, Observation* seen);
void observe_read_write(const ObservedFile& file, Observation* seen);
void observe_event(const ObservedFile& file, Observation* seen);
void observe_condition(const ObservedFile& file, Observation* seen);
void observe_barrier(const ObservedFile& file, Observation* seen);
void observe_queue(const ObservedFile& file, Observation* seen);
void observe_joinable_queue(const ObservedFile& file, Observation* seen);

}  // namespace holdfast::core

#endif
