// The same work in several threads of one process.
#ifndef HOLDFAST_TEST_IN_THREADS_H
#define HOLDFAST_TEST_IN_THREADS_H

#include <atomic>
#include <thread>
#include <vector>

namespace holdfast::test {

// Runs body(1) to body(count) at the same time: none begins before all are there.
template <class Body>
void in_threads(uint32_t count, Body body) {
  std::atomic<uint32_t> there{0};
  std::vector<std::thread> threads;
  for (uint32_t number = 1; number <= count; number++) {
    threads.emplace_back([&, number] {
      there.fetch_add(1);
      while (there < count) std::this_thread::yield();
      body(number);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace holdfast::test

#endif
