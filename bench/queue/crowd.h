// The stream of stream.mjs for C++ contestants: some producers, some consumers, forked, and the
// clock.
//
//   <program> <payload> <producers> <consumers> <warm-up> <messages>
//
// This process is the first producer and keeps the clock; the others wait for a byte each before
// every batch, and each consumer tells when it has received its share of it.
#ifndef HOLDFAST_BENCH_CROWD_H
#define HOLDFAST_BENCH_CROWD_H

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Crowd {
  static constexpr int kBatches = 3;

  size_t size;  // of a message, in bytes
  int producers, consumers, warm_up, messages;

  static Crowd of(int argc, char** argv) {
    if (argc != 6) fail("usage: payload producers consumers warm-up messages");
    return {size_of(argv[1]), atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5])};
  }

  [[noreturn]] static void fail(const char* what) {
    fprintf(stderr, "error: %s\n", what);
    _exit(1);
  }

  // `send` and `receive` are called with a buffer of `size` bytes.
  template <class Send, class Receive>
  void play(Send send, Receive receive) const {
    int told[2];
    if (pipe(told) != 0) fail("pipe");
    std::vector<char> item(size, 'x');
    const int batches[1 + kBatches] = {warm_up, messages, messages, messages};

    // A byte for each of them, because a quick one would take the byte of a slow one.
    std::vector<int> bells;
    for (int i = 1; i < producers; i++) {
      bells.push_back(in_child([&](int bell) {
        for (int n : batches) {
          wait_for(bell);
          for (int j = 0; j < n / producers; j++) send(item.data());
        }
      }));
    }
    for (int i = 0; i < consumers; i++) {
      bells.push_back(in_child([&](int bell) {
        for (int n : batches) {
          wait_for(bell);
          for (int j = 0; j < n / consumers; j++) receive(item.data());
          const int64_t end = now();
          if (write(told[1], &end, sizeof end) != sizeof end) fail("write");
        }
      }));
    }

    const char* separator = "{\"perMessage\":[";
    for (int batch = 0; batch <= kBatches; batch++) {
      const int n = batches[batch];
      const int64_t start = now();
      for (int bell : bells) {
        if (write(bell, "", 1) != 1) fail("write");
      }
      for (int i = 0; i < n / producers; i++) send(item.data());
      int64_t last = 0;
      for (int i = 0; i < consumers; i++) {
        int64_t end;
        if (read(told[0], &end, sizeof end) != sizeof end) fail("read");
        last = std::max(last, end);
      }
      if (batch == 0) continue;
      printf("%s%.1f", separator, double(last - start) / n);
      separator = ",";
    }
    printf("]}\n");
    while (wait(nullptr) > 0) {
    }
  }

 private:
  static size_t size_of(const std::string& payload) {
    if (payload == "string") return 16;
    if (payload == "kib") return 1 << 10;
    if (payload == "kib64") return 64 << 10;
    if (payload == "mib") return 1 << 20;
    fail("payloads: string, kib, kib64, mib");
  }

  static int64_t now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
  }

  static void wait_for(int bell) {
    char byte;
    if (read(bell, &byte, 1) != 1) fail("read");
  }

  // Returns where to write the byte that `body` waits for.
  template <class Body>
  static int in_child(Body body) {
    int bell[2];
    if (pipe(bell) != 0) fail("pipe");
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child != 0) return bell[1];
    body(bell[0]);
    _exit(0);
  }
};

#endif
