// The kill points of the core (native/core/kill_point.h), as the program's own section lists them.
#ifndef HOLDFAST_TEST_SWEEP_POINTS_H
#define HOLDFAST_TEST_SWEEP_POINTS_H

#include <cstddef>
#include <cstdint>

namespace holdfast::test::sweeping {

constexpr size_t kPointsMax = 512;

size_t point_count();
const char* point_name(size_t index);
// False where no process of this platform can come by.
bool is_reachable(size_t index);

void light(size_t index, uint64_t nth);  // the process dies at the nth visit
void start_counting();
void stop_counting(uint64_t* visits);  // [point_count()]

}  // namespace holdfast::test::sweeping

#endif
