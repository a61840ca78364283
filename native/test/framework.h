// A test framework on two pages, with no dependency.
//
// The runner in main.cc gives every test a process of its own, so that a crash, a hang or a failed
// check ends that test and no other, and looks afterwards for what the test has left behind. A
// check that fails ends its process at once: there is nothing to unwind that the runner does not
// clear away. In a child of the test it ends the test too (eventually() and Child::join() in
// support.h see it).
#ifndef HOLDFAST_TEST_FRAMEWORK_H
#define HOLDFAST_TEST_FRAMEWORK_H

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace holdfast::test {

// A test's full name is <file without _test.cc>.<name>; filters are substrings of it. The thread
// sanitizer runs what has "threads" in it.
#define TEST(name)                                                                               \
  static void test_##name();                                                                     \
  static const ::holdfast::test::Registration registration_##name(__FILE__, #name, test_##name); \
  static void test_##name()

#define CHECK(...) \
  ((__VA_ARGS__) ? void() : ::holdfast::test::fail(__FILE__, __LINE__, #__VA_ARGS__))

#define CHECK_EQUAL(actual, expected) \
  ::holdfast::test::check_equal(__FILE__, __LINE__, #actual, (actual), (expected))

struct Test {
  std::string full_name;
  void (*body)();
};

std::vector<Test>& all_tests();

struct Registration {
  Registration(const char* file, const char* name, void (*body)());
};

[[noreturn]] void fail(const char* file, int line, const char* what);
[[noreturn]] void fail(const char* file, int line, const std::string& what);
[[noreturn]] void skip(const std::string& reason);

// Figures for the test's line. A later note is appended.
void note(const char* format, ...) __attribute__((format(printf, 1, 2)));

// What the test that runs now may use, and nothing else.
struct Here {
  std::string test;
  std::string directory;         // fresh, mode 0700; must be empty again at the end
  std::string semaphore_prefix;  // 14 hex digits; semaphores named so must be gone at the end
  uint64_t run_seed = 0;         // what HOLDFAST_SEED takes back
  uint64_t seed = 0;             // made of it and the test's name; see Random in support.h
};
const Here& here();

// Has a check failed in any process of this test?
bool has_failed();
// The line of this test shall show the seed.
void show_seed();

// These are not inline. The compiler would need twice as long for a test that contains their code
// at each of its checks.
std::string text_of(int64_t value);
std::string text_of(uint64_t value);
std::string text_of(double value);
std::string text_of(const std::string& value);
[[noreturn]] void fail_equal(const char* file, int line, const char* expression,
                             const std::string& actual, const std::string& expected);

template <class Value>
std::string to_text(const Value& value) {
  if constexpr (std::is_floating_point_v<Value>) {
    return text_of(static_cast<double>(value));
  } else if constexpr (std::is_unsigned_v<Value>) {
    return text_of(static_cast<uint64_t>(value));
  } else if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
    return text_of(static_cast<int64_t>(value));
  } else {
    return text_of(value);
  }
}

template <class Actual, class Expected>
void check_equal(const char* file, int line, const char* expression, const Actual& actual,
                 const Expected& expected) {
  if (actual == expected) return;
  fail_equal(file, line, expression, to_text(actual), to_text(expected));
}

}  // namespace holdfast::test

#endif
