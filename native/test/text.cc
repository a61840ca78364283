// How values are shown, and what a check that failed says.
#include <cstdio>

#include "framework.h"

namespace holdfast::test {

std::string text_of(int64_t value) { return std::to_string(value); }
std::string text_of(uint64_t value) { return std::to_string(value); }
std::string text_of(const std::string& value) { return value; }

std::string text_of(double value) {
  char text[32];
  snprintf(text, sizeof text, "%g", value);
  return text;
}

void fail(const char* file, int line, const char* what) { fail(file, line, std::string(what)); }

void fail_equal(const char* file, int line, const char* expression, const std::string& actual,
                const std::string& expected) {
  fail(file, line, std::string(expression) + " is " + actual + ", not " + expected);
}

}  // namespace holdfast::test
