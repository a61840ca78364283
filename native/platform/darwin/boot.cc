#include <sys/sysctl.h>

#include <cctype>

#include "platform/platform.h"

namespace holdfast::platform {

// The kernel makes a UUID at each boot: 32 hexadecimal digits, and hyphens.
Boot current_boot() {
  char text[64] = {};
  size_t length = sizeof text - 1;
  Boot boot;
  if (sysctlbyname("kern.bootsessionuuid", text, &length, nullptr, 0) != 0) return boot;
  int digits = 0;
  for (const char* at = text; *at != '\0' && digits < 32; at++) {
    const auto character = static_cast<unsigned char>(*at);
    if (isxdigit(character) == 0) continue;
    const int digit = isdigit(character) != 0 ? *at - '0' : tolower(character) - 'a' + 10;
    uint64_t& word = boot.words[digits++ / 16];
    word = (word << 4) | static_cast<uint64_t>(digit);
  }
  return boot;
}

}  // namespace holdfast::platform
